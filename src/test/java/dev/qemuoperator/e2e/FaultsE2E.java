package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Three guests count in their memory and on their disk, while one thing after the other goes wrong
 * with them and with the operator: {@code ./test faults --cycles 100 --seed 1}. The same seed makes
 * the same faults in the same order. An ordinary run has a few cycles only.
 */
class FaultsE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final int CYCLES = Integer.getInteger("faults.cycles", 6);
  private static final long SEED = Long.getLong("faults.seed", 1);

  /** What a status may take to follow QEMU. */
  private static final Duration TOLD = Vm.TOLD;

  /** A judge that does not look finds nothing. */
  private static final Duration BLIND = Duration.ofSeconds(15);

  /** A kubelet's back-off of a guest that was ended often is part of it. */
  private static final Duration SETTLED = Duration.ofMinutes(6);

  private static final List<Counter> GUESTS = new ArrayList<>();

  private record Cycle(Fault fault, boolean operatorDied, Duration settledAfter) {}

  private final Random random = new Random(SEED);
  private final Honesty honesty = new Honesty();
  private final List<Fault> bag = new ArrayList<>();
  private final List<Cycle> cycles = new ArrayList<>();

  @BeforeAll
  static void boot() {
    Installation.get();
    for (String name : List.of("red", "green", "blue")) {
      GUESTS.add(
          new Counter(
              Vm.tiny(NAMESPACE.name(), name, "- {name: count, size: 1Mi, source: {blank: {}}}")));
    }
    GUESTS.forEach(
        guest -> {
          guest.vm().awaitReady();
          guest.start();
        });
  }

  @Test
  void guestsCountOnAndTheirStatusIsTrueWhateverGoesWrong() throws IOException {
    try (SharedIndexInformer<VirtualMachine> machines =
            Cluster.get()
                .client()
                .resources(VirtualMachine.class)
                .inNamespace(NAMESPACE.name())
                .inform();
        Truth _ = Truth.watch(look -> compare(machines, look))) {
      for (int cycle = 1; cycle <= CYCLES; cycle++) {
        cycle(cycle);
      }
      assertThat(honesty.longestGap(Instant.now())).as("time without a look").isLessThan(BLIND);
    } finally {
      write();
    }
    assertThat(honesty.twice()).as("guest that ran twice at once").isEmpty();
    assertThat(honesty.longest().lasted()).as("%s", honesty.longest()).isLessThanOrEqualTo(TOLD);
    GUESTS.forEach(guest -> assertSpecIsTheUsers(guest.vm()));
  }

  private void cycle(int number) {
    Counter guest = GUESTS.get(random.nextInt(GUESTS.size()));
    Fault fault = draw();
    Optional<Duration> operatorDies =
        Optional.of(Duration.ofMillis(random.nextInt(4000))).filter(x -> random.nextInt(3) == 0);
    String what =
        "cycle %d of seed %d: %s %s%s"
            .formatted(
                number,
                SEED,
                guest.vm().name(),
                fault,
                operatorDies
                    .map(after -> ", the operator killed after %s s".formatted(seconds(after)))
                    .orElse(""));
    Instant began = Instant.now();
    try {
      Counter.Reading before = guest.read();
      CompletableFuture<Void> death =
          operatorDies.map(FaultsE2E::killOperatorAfter).orElse(CompletableFuture.allOf());
      fault.happenTo(guest.vm());
      guest.settle(before, fault.endsRun(), SETTLED);
      death.join();
      settled();
      GUESTS.forEach(Counter::check);
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(what + ": " + e.getMessage(), e);
    }
    Duration took = Duration.between(began, Instant.now());
    cycles.add(new Cycle(fault, operatorDies.isPresent(), took));
    System.err.printf("faults: %s: settled after %s s%n", what, seconds(took));
  }

  /** Each fault once, in a random order, before any comes again. */
  private Fault draw() {
    if (bag.isEmpty()) {
      bag.addAll(List.of(Fault.values()));
      Collections.shuffle(bag, random);
    }
    return bag.removeLast();
  }

  private static CompletableFuture<Void> killOperatorAfter(Duration delay) {
    return CompletableFuture.runAsync(
        Installation.get()::kill,
        CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS));
  }

  private static void settled() {
    Installation.get().awaitReady();
    GUESTS.forEach(guest -> guest.vm().awaitCondition("Ready", "True", "Running", SETTLED));
  }

  private void compare(SharedIndexInformer<VirtualMachine> machines, Truth.Look look) {
    Map<String, VirtualMachineStatus> statuses =
        machines.getStore().list().stream()
            .filter(machine -> machine.getStatus() != null)
            .collect(
                Collectors.toMap(
                    machine -> machine.getMetadata().getName(), VirtualMachine::getStatus));
    honesty.look(Instant.now(), Installation.get().isLed(), statuses, look.states());
  }

  private static void assertSpecIsTheUsers(Vm vm) {
    VirtualMachine machine = vm.resource().get();
    assertThat(machine.getMetadata().getManagedFields())
        .filteredOn(entry -> entry.getFieldsV1().getAdditionalProperties().containsKey("f:spec"))
        .extracting(ManagedFieldsEntry::getManager)
        .isNotEmpty()
        .allMatch(manager -> manager.startsWith("kubectl"));
    List<Pod> pods =
        Cluster.get()
            .client()
            .pods()
            .inNamespace(vm.namespace())
            .withLabel("qemu-operator.dev/vm", vm.name())
            .list()
            .getItems();
    assertThat(pods).as("pods of %s", vm.name()).hasSize(1);
  }

  private void write() throws IOException {
    Honesty.Lie lie = honesty.longest();
    List<String> lines = new ArrayList<>();
    lines.add(
        "%d cycles of seed %d; in %d of them the operator was killed. %d looks at QEMU."
            .formatted(
                cycles.size(),
                SEED,
                cycles.stream().filter(Cycle::operatorDied).count(),
                honesty.looks()));
    lines.add(
        "Longest untrue status: %s. Longest time without a leading operator: %s s."
            .formatted(lie.lasted().isZero() ? "none" : lie, seconds(honesty.longestAbsence())));
    lines.add("");
    lines.add("| fault | times | settled after, median | longest |");
    lines.add("|---|---|---|---|");
    for (Fault fault : Fault.values()) {
      List<Duration> times =
          cycles.stream()
              .filter(cycle -> cycle.fault() == fault)
              .map(Cycle::settledAfter)
              .sorted()
              .toList();
      if (!times.isEmpty()) {
        lines.add(
            "| `%s` | %d | %s s | %s s |"
                .formatted(
                    fault,
                    times.size(),
                    seconds(times.get(times.size() / 2)),
                    seconds(times.getLast())));
      }
    }
    Files.createDirectories(Path.of("target"));
    Files.write(Path.of("target", "faults.md"), lines);
  }

  private static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.1f", duration.toMillis() / 1e3);
  }
}
