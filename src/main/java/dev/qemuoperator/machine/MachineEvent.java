package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.Conditions.CloudInitCurrent;
import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.api.Conditions.GuestReachable;
import dev.qemuoperator.api.Conditions.NetworkReady;
import dev.qemuoperator.api.Conditions.Ready;
import dev.qemuoperator.api.Conditions.RestartRequired;
import dev.qemuoperator.api.Conditions.Running;
import dev.qemuoperator.api.Disk.ReclaimPolicy;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.Actions;
import dev.qemuoperator.api.VirtualMachineStatus.Cdrom;
import dev.qemuoperator.api.VirtualMachineStatus.Disk;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.api.VirtualMachineStatus.PendingChange;
import dev.qemuoperator.api.VirtualMachineStatus.Process;
import dev.qemuoperator.api.VirtualMachineStatus.Reset;
import dev.qemuoperator.qmp.GuestReport.Result;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a person would want to know of a change of status: one event a thing.
 *
 * @param warning whether somebody may have to act
 * @param reason CamelCase
 * @param note for people
 */
record MachineEvent(boolean warning, String reason, String note) {

  private static final Set<String> TOLD_TYPES =
      Set.of(
          Accepted.TYPE,
          DisksReady.TYPE,
          NetworkReady.TYPE,
          Running.TYPE,
          Ready.TYPE,
          RestartRequired.TYPE,
          CloudInitCurrent.TYPE);

  /**
   * Reasons that are a normal part of starting and stopping, or are told by lastExit or another
   * condition.
   */
  private static final Set<String> UNTOLD_REASONS =
      Stream.of(
              Accepted.VALID,
              DisksReady.NOT_REQUESTED,
              Running.NOT_ACCEPTED,
              Running.STARTING,
              DisksReady.BINDING_CLAIM,
              DisksReady.RESOLVING_IMAGE,
              NetworkReady.AWAITING_ADDRESS,
              NetworkReady.AWAITING_NODES,
              Running.RESTARTING,
              Running.STOPPED,
              Running.FAILED,
              Running.SUSPENDED,
              RestartRequired.UP_TO_DATE,
              RestartRequired.NOT_RUNNING,
              CloudInitCurrent.NO_SEED,
              CloudInitCurrent.NOT_RUNNING,
              CloudInitCurrent.SOURCES_INVALID,
              CloudInitCurrent.AWAITING_NETWORKS,
              CloudInitCurrent.CURRENT)
          .collect(Collectors.toUnmodifiableSet());

  private static final Set<String> NORMAL_REASONS =
      Set.of(
          DisksReady.READY,
          DisksReady.FETCHING,
          Running.RUNNING,
          Running.PAUSED,
          Running.STOPPING,
          Running.HALTED,
          RestartRequired.SPEC_CHANGED,
          CloudInitCurrent.CHANGED);

  /** From QEMU's word to the kubelet's, whose times are whole seconds. */
  private static final Duration MOMENTS = Duration.ofSeconds(10);

  private static final Set<String> NORMAL_EXITS =
      Set.of("GuestShutdown", "GuestReset", "Requested", "Evicted");

  static List<MachineEvent> between(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    List<MachineEvent> events = new ArrayList<>();
    events.addAll(requests(before, now));
    reset(before, now).ifPresent(events::add);
    events.addAll(powerButton(before, now));
    events.addAll(stopSteps(before, now));
    exit(before, now).ifPresent(events::add);
    cloudInitError(before, now).ifPresent(events::add);
    events.addAll(disks(before, now));
    events.addAll(media(before, now));
    events.addAll(problemsOfLiveChanges(before, now));
    List<Condition> previous = before.map(VirtualMachineStatus::conditions).orElse(List.of());
    for (Condition condition : now.conditions()) {
      if (isTold(condition)
          && !isSame(ConditionList.find(previous, condition.getType()), condition)) {
        events.add(
            new MachineEvent(
                !NORMAL_REASONS.contains(condition.getReason()),
                name(condition),
                condition.getMessage()));
      }
    }
    return events;
  }

  /** What is left of a VM that is gone, and how to get rid of it. */
  static Optional<MachineEvent> ofRetainedDisks(VirtualMachine deleted) {
    List<String> retained =
        deleted.getSpec().disks().stream()
            .filter(disk -> disk.reclaimPolicy() == ReclaimPolicy.RETAIN)
            // what was not its own is not told of
            .filter(disk -> disk.storage().existing().isEmpty())
            .map(dev.qemuoperator.api.Disk::name)
            .toList();
    List<String> claims =
        Stream.ofNullable(deleted.getStatus())
            .flatMap(status -> status.disks().stream())
            .filter(disk -> retained.contains(disk.name()) && disk.claim() != null)
            .map(Disk::claim)
            .toList();
    return Optional.of(claims)
        .filter(names -> !names.isEmpty())
        .map(
            names ->
                new MachineEvent(
                    false,
                    "DisksRetained",
                    ("Its disks are kept: a VirtualMachine of the same name takes them up again, another"
                            + " one by storage.claim.existing. To delete them with all their data:"
                            + " kubectl delete -n %s pvc %s")
                        .formatted(deleted.getMetadata().getNamespace(), String.join(" ", names))));
  }

  private static List<MachineEvent> requests(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    List<MachineEvent> events = new ArrayList<>();
    Optional<Actions> earlier = before.map(VirtualMachineStatus::actions);
    Optional<Actions> acted = Optional.ofNullable(now.actions());
    acted
        .map(Actions::restartRequestedAt)
        .filter(at -> !earlier.map(Actions::restartRequestedAt).equals(Optional.of(at)))
        // a pod that is the VM's first has met a request without doing anything for it
        .filter(at -> before.filter(status -> status.lastExit() != null).isPresent())
        .map(at -> new MachineEvent(false, "Restarted", "As asked for at " + at + "."))
        .ifPresent(events::add);
    acted
        .map(Actions::resetRequestedAt)
        .filter(at -> !earlier.map(Actions::resetRequestedAt).equals(Optional.of(at)))
        .filter(at -> now.process() != null)
        .map(
            at ->
                new MachineEvent(
                    false, "Reset", "The reset button was pressed, as asked for at " + at + "."))
        .ifPresent(events::add);
    return events;
  }

  /** A reset on request is told as an answer to the request. */
  private static Optional<MachineEvent> reset(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    Optional<Reset> known = before.map(VirtualMachineStatus::process).map(Process::lastReset);
    return Optional.ofNullable(now.process())
        .map(Process::lastReset)
        .filter(reset -> !known.equals(Optional.of(reset)))
        .flatMap(
            reset ->
                switch (reset.cause()) {
                  case "GuestReset" ->
                      Optional.of(new MachineEvent(false, "GuestReset", "The guest rebooted."));
                  case "Watchdog" ->
                      Optional.of(
                          new MachineEvent(
                              true,
                              "Watchdog",
                              "The guest did not feed its watchdog any more and was reset."));
                  default -> Optional.empty();
                });
  }

  /** While the operator listens, each press is told; see lastExit.stopSteps for the others. */
  private static List<MachineEvent> powerButton(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    int known = presses(before.map(VirtualMachineStatus::process));
    int presses = presses(Optional.ofNullable(now.process()));
    List<MachineEvent> events = new ArrayList<>();
    if (known < 1 && presses >= 1) {
      events.add(new MachineEvent(false, "PowerButton", "The guest's power button was pressed."));
    }
    if (known < 2 && presses >= 2) {
      events.add(
          new MachineEvent(
              true,
              "PowerButtonAgain",
              "The guest did not answer; its power button was pressed again."));
    }
    return events;
  }

  /**
   * What it took beyond the power button; the kubelet tells it a moment after QEMU's own last word.
   */
  private static List<MachineEvent> stopSteps(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    List<String> steps = steps(Optional.ofNullable(now.lastExit()));
    boolean known =
        before
            .map(VirtualMachineStatus::lastExit)
            .filter(
                exit ->
                    steps(Optional.of(exit)).equals(steps)
                        && Objects.equals(
                            exit.at(), now.lastExit() == null ? null : now.lastExit().at()))
            .isPresent();
    List<MachineEvent> events = new ArrayList<>();
    if (!known && steps.contains("Quit")) {
      events.add(
          new MachineEvent(
              true, "Quit", "The guest did not answer its power button; QEMU was told to quit."));
    }
    if (!known && steps.contains("Kill")) {
      events.add(
          new MachineEvent(true, "Killed", "QEMU did not quit, and its process was killed."));
    }
    return events;
  }

  private static List<String> steps(Optional<LastExit> exit) {
    return exit.map(LastExit::stopSteps).orElse(List.of());
  }

  private static int presses(Optional<VirtualMachineStatus.Process> process) {
    return process.map(VirtualMachineStatus.Process::powerButtonPresses).orElse(0);
  }

  private static Optional<MachineEvent> exit(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    LastExit exit = now.lastExit();
    LastExit known = before.map(VirtualMachineStatus::lastExit).orElse(null);
    if (exit == null || (isSameExit(known, exit) && known.cause().equals(exit.cause()))) {
      return Optional.empty();
    }
    return Optional.of(
        new MachineEvent(!NORMAL_EXITS.contains(exit.cause()), exit.cause(), exit.message()));
  }

  private static List<MachineEvent> disks(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    Map<String, Disk> known =
        before.map(VirtualMachineStatus::disks).orElse(List.of()).stream()
            .collect(Collectors.toMap(Disk::name, disk -> disk));
    return Stream.ofNullable(now.disks())
        .flatMap(List::stream)
        .flatMap(
            disk -> {
              Optional<Disk> earlier = Optional.ofNullable(known.get(disk.name()));
              return Stream.concat(growth(earlier, disk).stream(), disk(earlier, disk).stream());
            })
        .toList();
  }

  /** While the guest ran: after a start, nothing is known of the size before. */
  private static Optional<MachineEvent> growth(Optional<Disk> before, Disk now) {
    return before
        .map(Disk::capacity)
        .filter(capacity -> now.capacity() != null)
        .filter(
            capacity ->
                capacity.getNumericalAmount().compareTo(now.capacity().getNumericalAmount()) < 0)
        .map(
            capacity ->
                new MachineEvent(
                    false,
                    "DiskGrown",
                    "Disk %s has grown from %s to %s. Its partitions and file systems are the guest's to grow."
                        .formatted(now.name(), capacity, now.capacity())));
  }

  /** While the guest ran: what it was started with needs no event. */
  private static List<MachineEvent> media(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    if (before.filter(earlier -> isOfTheSameRun(earlier, now)).isEmpty()) {
      return List.of();
    }
    Map<String, Cdrom> had = cdroms(before.get());
    Map<String, Cdrom> has = cdroms(now);
    Stream<MachineEvent> inserted =
        has.values().stream()
            .filter(cdrom -> !digest(has, cdrom.name()).equals(digest(had, cdrom.name())))
            .map(cdrom -> medium("MediumInserted", "CD-ROM %s: %s was put in.", cdrom));
    Stream<MachineEvent> ejected =
        had.values().stream()
            .filter(cdrom -> !has.containsKey(cdrom.name()))
            .map(cdrom -> medium("MediumEjected", "CD-ROM %s: %s was taken out.", cdrom));
    return Stream.concat(inserted, ejected).toList();
  }

  private static Optional<String> digest(Map<String, Cdrom> cdroms, String name) {
    return Optional.ofNullable(cdroms.get(name)).map(Cdrom::digest);
  }

  private static MachineEvent medium(String reason, String note, Cdrom cdrom) {
    String what = cdrom.image() == null ? cdrom.digest() : cdrom.image();
    return new MachineEvent(false, reason, note.formatted(cdrom.name(), what));
  }

  /** Whether QEMU has answered for both, and has not been started again in between. */
  private static boolean isOfTheSameRun(VirtualMachineStatus before, VirtualMachineStatus now) {
    return Stream.of(before, now)
            .allMatch(status -> status.process() != null && status.process().runState() != null)
        && Objects.equals(before.process().startedAt(), now.process().startedAt());
  }

  private static Map<String, Cdrom> cdroms(VirtualMachineStatus status) {
    return Stream.ofNullable(status.cdroms())
        .flatMap(List::stream)
        .collect(Collectors.toMap(Cdrom::name, cdrom -> cdrom));
  }

  private static List<MachineEvent> problemsOfLiveChanges(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    Map<String, PendingChange> known =
        before.map(VirtualMachineStatus::pendingChanges).orElse(List.of()).stream()
            .collect(Collectors.toMap(PendingChange::field, change -> change));
    return Stream.ofNullable(now.pendingChanges())
        .flatMap(List::stream)
        .filter(change -> change.reason() != null)
        .filter(
            change ->
                DiskGrowth.PROBLEMS.contains(change.reason())
                    || MediumChange.PROBLEMS.contains(change.reason()))
        .filter(
            change ->
                Optional.ofNullable(known.get(change.field()))
                    .filter(earlier -> change.reason().equals(earlier.reason()))
                    .isEmpty())
        .map(
            change ->
                new MachineEvent(
                    true,
                    change.field().startsWith("spec.cdroms") ? "MediumNotChanged" : "DiskNotGrown",
                    "%s: %s: %s"
                        .formatted(
                            change.field(),
                            Objects.requireNonNullElse(change.desired(), "nothing"),
                            change.message())))
        .toList();
  }

  private static Optional<MachineEvent> disk(Optional<Disk> before, Disk now) {
    if (Boolean.TRUE.equals(now.selfContained())
        && before.filter(disk -> Boolean.FALSE.equals(disk.selfContained())).isPresent()) {
      return Optional.of(
          new MachineEvent(
              false,
              "DiskSelfContained",
              "Disk %s holds all of its base image and needs no node's cache any more."
                  .formatted(now.name())));
    }
    return Optional.ofNullable(now.progress())
        .filter(progress -> !progress.endsWith("%") && !progress.endsWith("bytes"))
        .filter(problem -> before.map(Disk::progress).filter(problem::equals).isEmpty())
        .map(
            problem ->
                new MachineEvent(
                    true,
                    "DiskCopyFailed",
                    "The base image of disk %s could not be copied into it: %s. Make room on the volume; it is tried again with the next start of the guest, or after selfContained: false and back."
                        .formatted(now.name(), problem)));
  }

  /** Once a boot, which has its own time of the end. */
  private static Optional<MachineEvent> cloudInitError(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    return Optional.ofNullable(now.cloudInit())
        .filter(end -> Result.ERROR.word().equals(end.result()))
        .filter(
            end ->
                before
                    .map(VirtualMachineStatus::cloudInit)
                    .filter(known -> end.result().equals(known.result()))
                    .filter(known -> end.finishedAt().equals(known.finishedAt()))
                    .isEmpty())
        .map(
            end ->
                new MachineEvent(
                    true,
                    GuestReachable.CLOUD_INIT_FAILED,
                    Verdicts.cloudInitFailed(end.message())));
  }

  /**
   * An exit is heard from QEMU first and read from the pod, with its code, a moment later. What is
   * read then may say more of its cause than what was heard.
   */
  static boolean isSameExit(LastExit known, LastExit exit) {
    if (known == null) {
      return false;
    }
    boolean sameCause = Objects.equals(known.cause(), exit.cause());
    return (sameCause && Objects.equals(known.at(), exit.at()))
        || (known.exitCode() == null
            && (sameCause || exit.exitCode() != null)
            && isWithinMoments(known.at(), exit.at()));
  }

  private static boolean isWithinMoments(String heard, String read) {
    return Duration.between(Instant.parse(heard), Instant.parse(read)).abs().compareTo(MOMENTS) < 0;
  }

  private static boolean isTold(Condition condition) {
    // of the summary only what no other condition says: that the guest serves
    boolean toldByAnother =
        condition.getType().equals(Ready.TYPE)
            && !("True".equals(condition.getStatus())
                && Ready.RUNNING.equals(condition.getReason()));
    boolean fine =
        condition.getType().equals(NetworkReady.TYPE) && !"False".equals(condition.getStatus());
    return !fine
        && TOLD_TYPES.contains(condition.getType())
        && !UNTOLD_REASONS.contains(condition.getReason())
        && !toldByAnother;
  }

  private static boolean isSame(Optional<Condition> before, Condition now) {
    return before
        .filter(
            condition ->
                Objects.equals(condition.getStatus(), now.getStatus())
                    && Objects.equals(condition.getReason(), now.getReason()))
        .isPresent();
  }

  /** Ready and RestartRequired say more as an event than their reasons do. */
  private static String name(Condition condition) {
    return switch (condition.getType()) {
      case Ready.TYPE -> Ready.TYPE;
      case RestartRequired.TYPE -> RestartRequired.TYPE;
      case DisksReady.TYPE ->
          "True".equals(condition.getStatus()) ? DisksReady.TYPE : condition.getReason();
      case CloudInitCurrent.TYPE -> "CloudInitChanged";
      default -> condition.getReason();
    };
  }
}
