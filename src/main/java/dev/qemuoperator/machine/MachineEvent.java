package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.Conditions.CloudInitCurrent;
import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.api.Conditions.GuestReachable;
import dev.qemuoperator.api.Conditions.Ready;
import dev.qemuoperator.api.Conditions.RestartRequired;
import dev.qemuoperator.api.Conditions.Running;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.qmp.GuestReport.Result;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
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
              Running.RESTARTING,
              RestartRequired.UP_TO_DATE,
              RestartRequired.NOT_RUNNING,
              CloudInitCurrent.NO_SEED,
              CloudInitCurrent.NOT_RUNNING,
              CloudInitCurrent.SOURCES_INVALID,
              CloudInitCurrent.CURRENT)
          .collect(Collectors.toUnmodifiableSet());

  private static final Set<String> NORMAL_REASONS =
      Set.of(
          DisksReady.READY,
          DisksReady.FETCHING,
          Running.RUNNING,
          Running.STOPPING,
          Running.HALTED,
          RestartRequired.SPEC_CHANGED,
          CloudInitCurrent.CHANGED);

  /** From QEMU's word to the kubelet's, whose times are whole seconds. */
  private static final Duration MOMENTS = Duration.ofSeconds(10);

  private static final Set<String> NORMAL_EXITS =
      Set.of("GuestShutdown", "GuestReset", "Requested");

  static List<MachineEvent> between(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    List<MachineEvent> events = new ArrayList<>();
    exit(before, now).ifPresent(events::add);
    cloudInitError(before, now).ifPresent(events::add);
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

  private static Optional<MachineEvent> exit(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    LastExit exit = now.lastExit();
    LastExit known = before.map(VirtualMachineStatus::lastExit).orElse(null);
    if (exit == null || isSameExit(known, exit)) {
      return Optional.empty();
    }
    return Optional.of(
        new MachineEvent(!NORMAL_EXITS.contains(exit.cause()), exit.cause(), exit.message()));
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

  /** An exit is heard from QEMU first and read from the pod, with its code, a moment later. */
  private static boolean isSameExit(LastExit known, LastExit exit) {
    return known != null
        && Objects.equals(known.cause(), exit.cause())
        && (Objects.equals(known.at(), exit.at())
            || (known.exitCode() == null && isWithinMoments(known.at(), exit.at())));
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
    return TOLD_TYPES.contains(condition.getType())
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
