package dev.qemuoperator.machine;

import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.RunStrategy;
import dev.qemuoperator.api.VirtualMachineStatus.PendingChange;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qemu.VmIdentity;
import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the spec says and the pod that there is does not have. */
final class PendingChanges {

  static final String LIVE = "Live";
  static final String NEXT_BOOT = "NextBoot";
  static final String NEVER = "Never";

  private static final String RUN_STRATEGY = "spec.runStrategy";
  private static final String LIMIT = "spec.cpu.limitPercent";
  private static final Pattern SOURCE = Pattern.compile("spec\\.disks\\[(.+)]\\.source\\..+");

  private PendingChanges() {}

  /**
   * @param wanted the pod as it should be
   * @param applied what came of writing the child objects
   */
  static List<PendingChange> of(MachineInputs in, PodFacts wanted, Apply.Result applied) {
    if (in.pod().isEmpty() || in.hasPodOfAnotherVm()) {
      return List.of();
    }
    PodFacts pod = in.pod().get();
    SortedMap<String, String> running = new TreeMap<>(pod.specFields());
    SortedMap<String, String> desired = new TreeMap<>(wanted.specFields());
    if (in.spec().runStrategy() == RunStrategy.HALTED) {
      running.remove(RUN_STRATEGY);
      desired.remove(RUN_STRATEGY);
    }
    for (String size : sizesOfTheGuest(in, pod)) {
      running.remove(size);
      desired.remove(size);
    }
    for (String source : sourcesOfTheGuest(in)) {
      running.keySet().removeIf(field -> field.startsWith(source));
      desired.keySet().removeIf(field -> field.startsWith(source));
    }
    List<String> unknown = lansOfWhichNothingIsKnown(in, desired);
    for (String lan : unknown) {
      running.keySet().removeIf(field -> field.startsWith(lan));
    }
    List<PendingChange> changes = new ArrayList<>();
    TreeSet<String> names = new TreeSet<>(running.keySet());
    names.addAll(desired.keySet());
    for (String name : names) {
      if (!Objects.equals(running.get(name), desired.get(name))) {
        changes.add(
            new PendingChange(
                name,
                running.get(name),
                desired.get(name),
                isOfMadeDisk(in, name) ? NEVER : NEXT_BOOT,
                null,
                null));
      }
    }
    cpuLimit(pod, wanted, applied.liveRefused()).ifPresent(changes::add);
    if (changes.isEmpty() && unknown.isEmpty() && !wanted.template().equals(pod.template())) {
      changes.add(
          new PendingChange(
              "operator: pod template", pod.template(), wanted.template(), NEXT_BOOT, null, null));
    }
    DiskGrowth.of(in, applied.refusedClaims()).stream()
        .map(PendingChanges::growth)
        .forEach(changes::add);
    MediumChange.of(in, applied.refusedPods()).stream()
        .map(change -> medium(in, change))
        .forEach(changes::add);
    return changes;
  }

  /**
   * The sizes of disks that a guest of this pod has had: QEMU says how large they are now, as one
   * may have grown since the pod was made. A disk that could not even be prepared needs another
   * pod.
   */
  private static List<String> sizesOfTheGuest(MachineInputs in, PodFacts pod) {
    return in.spec().disks().stream()
        .map(Disk::name)
        .filter(disk -> pod.isRunning() || pod.hasRunGuest())
        .filter(disk -> pod.specFields().containsKey("spec.disks[%s].name".formatted(disk)))
        .map(PendingChanges::size)
        .toList();
  }

  /** Of the drives of this pod's guest: what was in one when it was made says nothing any more. */
  private static List<String> sourcesOfTheGuest(MachineInputs in) {
    return in.spec().cdroms().stream()
        .filter(cdrom -> MediumChange.isLive(in, cdrom))
        .map(cdrom -> MediumChange.field(cdrom.name()) + ".source.")
        .toList();
  }

  /** What a BridgeNetwork says that is not there now, or gives no address, is no wish. */
  private static List<String> lansOfWhichNothingIsKnown(
      MachineInputs in, SortedMap<String, String> desired) {
    return LanCards.of(in.spec())
        .map(card -> "spec.networks[%s].bridge".formatted(card.name()))
        .filter(bridge -> !desired.containsKey(bridge + ": bridge"))
        .flatMap(
            bridge ->
                desired.containsKey(bridge + ".address")
                    ? Stream.of(bridge + ": ")
                    : Stream.of(bridge + ": ", bridge + ".address"))
        .toList();
  }

  private static String size(String disk) {
    return "spec.disks[%s].size".formatted(disk);
  }

  private static PendingChange growth(DiskGrowth growth) {
    return live(
        size(growth.disk().name()),
        growth.has().quantity().toString(),
        growth.disk().size().toString(),
        growth.obstacle());
  }

  private static PendingChange medium(MachineInputs in, MediumChange change) {
    return live(
        MediumChange.field(change.cdrom().name()) + ".source",
        change.running(in),
        change.desired(),
        change.obstacle());
  }

  private static PendingChange live(
      String field, String running, String desired, Optional<Obstacle> obstacle) {
    return new PendingChange(
        field,
        running,
        desired,
        LIVE,
        obstacle.map(Obstacle::reason).orElse(null),
        obstacle.map(Obstacle::message).orElse(null));
  }

  static boolean awaitBoot(List<PendingChange> changes) {
    return changes.stream().anyMatch(change -> change.applies().equals(NEXT_BOOT));
  }

  /** Whether a live change waits for something of which not every watch tells. */
  static boolean areHeldUp(List<PendingChange> changes) {
    return changes.stream().anyMatch(change -> change.reason() != null);
  }

  /** Whether something comes to the node, of which only a log tells. */
  static boolean areComing(List<PendingChange> changes) {
    return changes.stream().anyMatch(change -> MediumArrival.FETCHING.equals(change.reason()));
  }

  /** A disk is made once: a source that changes later is that of another disk. */
  private static boolean isOfMadeDisk(MachineInputs in, String field) {
    Matcher source = SOURCE.matcher(field);
    return source.matches()
        && in.spec().disks().stream()
            .filter(disk -> disk.name().equals(source.group(1)))
            .anyMatch(disk -> BaseImages.notes(in, disk).image().isPresent());
  }

  private static Optional<PendingChange> cpuLimit(
      PodFacts pod, PodFacts wanted, boolean liveRefused) {
    Optional<BigDecimal> running = pod.actualCpuLimit().map(Quantity::getNumericalAmount);
    Optional<BigDecimal> desired = wanted.cpuLimit().map(Quantity::getNumericalAmount);
    boolean same =
        running.isPresent() == desired.isPresent()
            && (running.isEmpty() || running.get().compareTo(desired.get()) == 0);
    if (same) {
      return Optional.empty();
    }
    boolean live = desired.isPresent() && !liveRefused;
    return Optional.of(
        new PendingChange(
            LIMIT, percent(running), percent(desired), live ? LIVE : NEXT_BOOT, null, null));
  }

  private static String percent(Optional<BigDecimal> cores) {
    return cores
        .map(amount -> String.valueOf(amount.multiply(BigDecimal.valueOf(100)).intValue()))
        .orElse(null);
  }

  /** Names of the fields, for a message. */
  static String names(List<PendingChange> changes, String applies) {
    return String.join(
        ", ",
        changes.stream()
            .filter(change -> change.applies().equals(applies))
            .map(PendingChange::field)
            .toList());
  }

  /** How a person applies what waits for a boot. */
  static String remedy(VmIdentity vm) {
    return "A reboot of the guest applies them, or: kubectl annotate --overwrite qvm %s"
            .formatted(vm.name())
        + " qemu-operator.dev/restart-requested-at=$(date -Is)";
  }
}
