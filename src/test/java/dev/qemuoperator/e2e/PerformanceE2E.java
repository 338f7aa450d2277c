package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.pod.VmObjects;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Measures what docs/performance.md says, and writes it to target/performance.md: {@code ./test e2e
 * --tests 'PerformanceE2E'}. In an ordinary run each figure is taken once, of the tiny guest, and
 * only must not be absurd; {@code PERFORMANCE_RUNS=5} takes medians, of the Debian guest too.
 */
class PerformanceE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final int RUNS =
      Integer.parseInt(System.getenv().getOrDefault("PERFORMANCE_RUNS", "1"));

  /** A guest and the line of its console by which it counts as booted. */
  private record Subject(String image, String memory, int cores, String size, Pattern booted) {}

  private static final Subject TINY =
      new Subject("guest-tiny", "192Mi", 1, "64Mi", Pattern.compile("TINY-READY"));
  private static final Subject DEBIAN =
      new Subject(
          "guest-debian",
          "512Mi",
          2,
          "4Gi",
          Pattern.compile("Reached target.*cloud-init|finished at"));

  /** Seldom: to ask is work for the same CPUs, and the log bears the time. */
  static final Duration LOOK = Duration.ofSeconds(3);

  private static final Pattern STARTED = Pattern.compile("started in ([0-9.]+)s");

  private final Map<String, List<Double>> figures = new LinkedHashMap<>();

  @TempDir Path directory;

  @BeforeAll
  static void install() {
    Installation.get();
  }

  @Test
  void figuresOfTheOperatorBesideThoseOfBareQemu() throws IOException {
    measure("tiny", TINY);
    if (RUNS > 1) {
      measure("Debian", DEBIAN);
    }
    write();
    measureOperator();
    write();

    assertThat(median("tiny: apply to QEMU started, image on the claim (s)")).isLessThan(10);
    assertThat(median("tiny: boot under the operator / boot bare")).isLessThan(3);
  }

  private void write() throws IOException {
    Files.createDirectories(Path.of("target"));
    Files.writeString(Path.of("target", "performance.md"), table());
  }

  private void measure(String name, Subject subject) throws IOException {
    for (int run = 0; run < RUNS; run++) {
      Vm vm = new Vm(NAMESPACE.name(), "perf-" + name.toLowerCase(Locale.ROOT) + "-" + run);
      double applied = uptime();
      Vm.apply(vm.namespace(), manifest(vm.name(), subject));
      double operated = awaitBoot(vm, subject);
      add(name + ": apply to QEMU started, first start (s)", started(vm) - applied);
      if (subject == DEBIAN) {
        settle();
      }
      add(name + ": memory of the pod beside the guest's RAM (MiB)", overhead(vm));

      List<String> options = qemu(vm).getCommand();
      List<String> arguments = qemu(vm).getArgs();
      Map<String, String> tls = files(vm, "-qmp-tls");
      Map<String, String> seed = files(vm, "-cloud-init");
      vm.setRunStrategy("Halted");
      vm.awaitNoPod(Duration.ofMinutes(2));
      applied = uptime();
      vm.setRunStrategy("Always");
      vm.await("started again", Vm.BOOT, status -> "Running".equals(status.state()));
      add(name + ": apply to QEMU started, image on the claim (s)", started(vm) - applied);
      vm.delete();

      BareQemu bare =
          new BareQemu(directory.resolve(vm.name()), Installation.image(subject.image()));
      double alone = bare.bootSeconds(options, arguments, tls, seed, subject.booted(), Vm.BOOT);
      add(name + ": boot under the operator (s)", operated);
      add(name + ": boot bare (s)", alone);
      add(name + ": boot under the operator / boot bare", operated / alone);
    }
  }

  private void measureOperator() {
    Installation operator = Installation.get();
    for (int run = 0; run < RUNS; run++) {
      operator.kill();
      operator.awaitReady();
      Matcher start =
          Awaitility.await("the new operator has started")
              .atMost(Duration.ofMinutes(1))
              .until(() -> STARTED.matcher(log(operator)), Matcher::find);
      add("operator: start of the process to serving (s)", Double.parseDouble(start.group(1)));
      settle();
      Pod pod = operator.pods().list().getItems().getFirst();
      String memory =
          Cluster.get()
              .kubectl(
                  "exec",
                  "-n",
                  Installation.NAMESPACE,
                  pod.getMetadata().getName(),
                  "--",
                  "sh",
                  "-c",
                  "grep VmRSS /proc/1/status")
              .text();
      add(
          "operator: resident memory (MiB)",
          Double.parseDouble(memory.replaceAll("\\D", "")) / 1024);
    }
  }

  /** Of the one pod there is; empty while it is being replaced. */
  private static String log(Installation operator) {
    List<Pod> pods = operator.pods().list().getItems();
    return pods.size() == 1
        ? Cluster.get()
            .kubectl("logs", "-n", Installation.NAMESPACE, pods.getFirst().getMetadata().getName())
            .stdout()
        : "";
  }

  private static String manifest(String name, Subject subject) {
    return """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: %s}
        spec:
          terminationGracePeriodSeconds: 60
          cpu: {cores: %d}
          memory: {size: %s}
          disks:
          - {name: root, size: %s, source: {containerImage: {image: "%s"}}}
          cloudInit: {sources: [{inline: {userData: "#cloud-config\\n{}"}}]}
        """
        .formatted(
            name,
            subject.cores(),
            subject.memory(),
            subject.size(),
            Installation.image(subject.image()));
  }

  /**
   * Seconds from QEMU's start to the console's line, by the container runtime's own time stamps.
   */
  private static double awaitBoot(Vm vm, Subject subject) {
    double[] seconds = new double[1];
    Awaitility.await("boot of " + vm.name())
        .atMost(Vm.BOOT)
        .pollInterval(LOOK)
        .until(
            () -> {
              String log =
                  Cluster.get()
                      .kubectl(
                          "logs", "-n", vm.namespace(), vm.name(), "-c", "qemu", "--timestamps")
                      .stdout();
              return log.lines()
                  .filter(line -> subject.booted().matcher(line).find())
                  .findFirst()
                  .map(line -> Instant.parse(line.split(" ", 2)[0]))
                  .map(
                      at -> {
                        seconds[0] = toUptime(at) - started(vm);
                        return true;
                      })
                  .orElse(false);
            });
    return seconds[0];
  }

  /** When QEMU was started, in seconds of the machine's uptime. */
  private static double started(Vm vm) {
    return Double.parseDouble(vm.inPod("cat", "/run/vm/started").strip());
  }

  private static double uptime() {
    try {
      return Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ")[0]);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  static double toUptime(Instant moment) {
    return uptime() - Duration.between(moment, Instant.now()).toNanos() / 1e9;
  }

  /** QEMU's resident memory less that of the guest's RAM. */
  private static double overhead(Vm vm) {
    String stat =
        vm.inPod(
            "sh",
            "-c",
            "p=$(pidof qemu-system-x86_64); grep -E '^(Rss|Shared_Clean|RssAnon)' /proc/$p/smaps_rollup;"
                + " grep -A20 memfd:memory /proc/$p/smaps | grep -m1 '^Rss' | sed 's/Rss/Guest/'");
    return (kibibytes(stat, "Rss") - kibibytes(stat, "Guest")) / 1024;
  }

  private static double kibibytes(String text, String name) {
    Matcher line = Pattern.compile("(?m)^" + name + ":\\s+(\\d+) kB").matcher(text);
    assertThat(line.find()).as("%s in %s", name, text).isTrue();
    return Double.parseDouble(line.group(1));
  }

  private static Container qemu(Vm vm) {
    return vm.livePod().getSpec().getContainers().getFirst();
  }

  private static Map<String, String> files(Vm vm, String suffix) {
    Secret secret =
        Cluster.get()
            .client()
            .secrets()
            .inNamespace(vm.namespace())
            .withName(vm.name() + suffix)
            .require();
    return VmObjects.files(secret);
  }

  private static void settle() {
    Awaitility.await()
        .pollDelay(Duration.ofSeconds(10))
        .atMost(Duration.ofSeconds(15))
        .until(() -> true);
  }

  private void add(String figure, double value) {
    figures.computeIfAbsent(figure, name -> new ArrayList<>()).add(value);
  }

  private double median(String figure) {
    List<Double> sorted = figures.get(figure).stream().sorted().toList();
    return sorted.get(sorted.size() / 2);
  }

  private String table() {
    StringBuilder table = new StringBuilder("| figure | median | range |\n|---|---|---|\n");
    figures.forEach(
        (name, values) ->
            table.append(
                String.format(
                    Locale.ROOT,
                    "| %s | %.2f | %.2f–%.2f |%n",
                    name,
                    median(name),
                    values.stream().min(Double::compare).orElseThrow(),
                    values.stream().max(Double::compare).orElseThrow())));
    return table.toString();
  }
}
