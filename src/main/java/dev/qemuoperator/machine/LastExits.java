package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.Running;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.api.VirtualMachineStatus.Process;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.qmp.EventLog.StopStep;
import dev.qemuoperator.qmp.EventLog.WrapperFailure;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.Shutdown;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Why the guest's process ended, told from QEMU's event log in the pod's termination message and
 * its exit code; from the event that QEMU sent while the operator listened, if the pod is gone
 * before anybody could read it.
 *
 * @param before the status of the last pass: an end stays told until there is another
 */
record LastExits(MachineInputs in, Optional<VirtualMachineStatus> before, Instant now) {

  private static final int KILLED = 137;
  private static final int SIGNALLED = 128;

  Optional<LastExit> last() {
    Optional<ContainerStateTerminated> ended = in.pod().flatMap(PodFacts::lastTermination);
    Optional<Shutdown> heard = in.qmp().map(Observation::heard).map(Heard::shutdown);
    if (heard.isPresent() && ended.filter(end -> isOf(end, heard.get())).isEmpty()) {
      return toldOf(heard.get()).or(() -> Optional.of(read(heard.get())));
    }
    return ended
        .map(this::read)
        .or(this::lostWithItsNode)
        .or(this::forgottenByTheKubelet)
        .or(() -> before.map(VirtualMachineStatus::lastExit));
  }

  /** What was made of it when it was heard: that the pod is being deleted now came after it. */
  private Optional<LastExit> toldOf(Shutdown heard) {
    return before
        .map(VirtualMachineStatus::lastExit)
        .filter(exit -> heard.at().toString().equals(exit.at()));
  }

  /** Nobody can tell more of a process whose node never answered again until its pod was gone. */
  private Optional<LastExit> lostWithItsNode() {
    return before
        .flatMap(status -> ConditionList.find(status.conditions(), Running.TYPE))
        .filter(
            condition ->
                Set.of(Running.NODE_LOST, Running.NODE_NOT_READY).contains(condition.getReason()))
        .filter(condition -> in.pod().isEmpty())
        .map(
            condition ->
                new LastExit(
                    "NodeLost",
                    null,
                    now.truncatedTo(ChronoUnit.SECONDS).toString(),
                    "Node %s did not answer any more until the pod was given up."
                        .formatted(before.get().nodeName()),
                    null,
                    null));
  }

  /**
   * A kubelet that clears up between the creation of a container and its start takes the new one
   * for the last that has ended, and removes the one before it with all that it said.
   */
  private Optional<LastExit> forgottenByTheKubelet() {
    return in.pod()
        .filter(PodFacts::isRunning)
        .filter(pod -> pod.restarts() > restartsTold())
        .map(
            pod ->
                new LastExit(
                    "Unknown",
                    null,
                    pod.startedAt().orElse(null),
                    "The process ended and was started again. The kubelet has not"
                        + " kept how it ended, and the operator did not listen.",
                    null,
                    null));
  }

  /** How many of the pod's restarts are explained by what has been told. */
  private int restartsTold() {
    return before
        .map(VirtualMachineStatus::process)
        .map(process -> process.restarts() + (isToldOf(process) ? 1 : 0))
        .orElse(0);
  }

  private boolean isToldOf(Process process) {
    return process.startedAt() == null // it had ended when it was looked at
        || before
            .map(VirtualMachineStatus::lastExit)
            .filter(exit -> !isBefore(exit.at(), process.startedAt()))
            .isPresent();
  }

  private static boolean isBefore(String moment, String other) {
    return Instant.parse(moment).isBefore(Instant.parse(other));
  }

  /** The kubelet's times are whole seconds; an end of an earlier run lies before the event. */
  private static boolean isOf(ContainerStateTerminated ended, Shutdown heard) {
    return !Instant.parse(ended.getFinishedAt())
        .isBefore(heard.at().truncatedTo(ChronoUnit.SECONDS));
  }

  private LastExit read(ContainerStateTerminated ended) {
    EventLog log = EventLog.parse(ended.getMessage());
    String cause = cause(ended, log);
    return new LastExit(
        cause,
        ended.getExitCode(),
        ended.getFinishedAt(),
        message(cause, ended, log),
        cause.equals("GuestPanic") ? in.panicConsole().orElse(null) : null,
        stopSteps(log));
  }

  private LastExit read(Shutdown shutdown) {
    boolean asked = in.pod().filter(pod -> !pod.isDeleting()).isEmpty();
    String cause = asked && isOrderly(shutdown.reason()) ? requested() : cause(shutdown.reason());
    return new LastExit(cause, null, shutdown.at().toString(), describe(cause), null, null);
  }

  private String cause(ContainerStateTerminated ended, EventLog log) {
    Optional<String> reason = log.shutdown().map(Shutdown::reason);
    if (log.panicked()) {
      return "GuestPanic";
    }
    if (log.waitedForDisk() && reason.filter("guest-shutdown"::equals).isEmpty()) {
      return "IOError";
    }
    if (log.termSignalled() && reason.filter(LastExits::isOrderly).isPresent()) {
      return requested();
    }
    if (reason.isEmpty() && in.pod().filter(PodFacts::isEvicted).isPresent()) {
      return "Evicted";
    }
    if (reason.isPresent()) {
      return cause(reason.get());
    }
    if ("ContainerStatusUnknown".equals(ended.getReason())) {
      return "NodeLost";
    }
    if ("OOMKilled".equals(ended.getReason())) {
      return "OutOfMemory";
    }
    if (log.termSignalled() && (ended.getExitCode() == 0 || wasKilledInTheEnd(log))) {
      return requested(); // before QEMU ran, or because nothing else helped
    }
    return ended.getExitCode() > SIGNALLED ? "HostSignal" : "QemuError";
  }

  private static boolean wasKilledInTheEnd(EventLog log) {
    return log.stopSteps().stream().anyMatch(taken -> taken.step() == StopStep.KILL);
  }

  /** By whom: Kubernetes' own evictions are not what somebody asked of this VM. */
  private String requested() {
    return in.pod().filter(PodFacts::isEvicted).isPresent() ? "Evicted" : "Requested";
  }

  private static boolean isOrderly(String reason) {
    return List.of("guest-shutdown", "host-qmp-quit", "host-signal").contains(reason);
  }

  /** QEMU's ShutdownCause in the words of the API. */
  private static String cause(String reason) {
    return switch (reason) {
      case "guest-shutdown" -> "GuestShutdown";
      case "guest-reset" -> "GuestReset";
      case "guest-panic" -> "GuestPanic";
      case "watchdog" -> "Watchdog";
      case "host-qmp-quit", "host-qmp-system-reset", "host-ui" -> "Requested";
      case "host-signal" -> "HostSignal";
      default -> "QemuError";
    };
  }

  private static String message(String cause, ContainerStateTerminated ended, EventLog log) {
    String killed =
        cause.equals("HostSignal") && ended.getExitCode() > SIGNALLED
            ? "QEMU was ended by signal %d%s."
                .formatted(
                    ended.getExitCode() - SIGNALLED,
                    ended.getExitCode() == KILLED ? " (SIGKILL)" : "")
            : describe(cause);
    return Stream.of(
            log.wrapperFailure().map(LastExits::describe).orElse(killed),
            ladder(log),
            log.stderr().isEmpty() ? "" : "QEMU said: " + log.stderr().strip() + ".")
        .filter(part -> !part.isEmpty())
        .reduce((a, b) -> a + " " + b)
        .orElse("");
  }

  private static List<String> stopSteps(EventLog log) {
    return log.stopSteps().isEmpty()
        ? null
        : log.stopSteps().stream().map(taken -> taken.step().word()).toList();
  }

  /** What it took, if more than one press of the power button. */
  private static String ladder(EventLog log) {
    if (log.stopSteps().isEmpty()) {
      return "";
    }
    return switch (log.stopSteps().getLast().step()) {
      case POWER_BUTTON -> "";
      case POWER_BUTTON_AGAIN -> "It took two presses of the power button.";
      case QUIT -> "It did not answer its power button, so QEMU was told to quit.";
      case KILL -> "Neither the guest nor QEMU answered, so the process was killed.";
    };
  }

  private static String describe(WrapperFailure failure) {
    return failure.reason().equals("BaseImageMissing")
        ? "The base image of disk %s is not on this node; a new pod fetches it."
            .formatted(failure.disk())
        : sentence(failure.message());
  }

  /** The wrapper's messages, such as "the disk has …", among others. */
  private static String sentence(String message) {
    return message.isEmpty()
        ? message
        : message.substring(0, 1).toUpperCase(Locale.ROOT)
            + message.substring(1)
            + (message.endsWith(".") ? "" : ".");
  }

  private static String describe(String cause) {
    return switch (cause) {
      case "GuestShutdown" -> "The guest powered itself off.";
      case "GuestReset" -> "The guest rebooted.";
      case "GuestPanic" -> "The guest's kernel panicked; see its console: kubectl logs --previous.";
      case "Watchdog" -> "The guest did not feed its watchdog any more.";
      case "IOError" ->
          "The process ended while the guest waited for a disk that had failed. What the guest had not"
              + " written yet is lost; see the VM's events for the disk.";
      case "NodeLost" -> "The node was restarted, or lost track of the process.";
      case "Evicted" -> "Kubernetes evicted the pod, and the guest was powered off.";
      case "Requested" -> "The guest was powered off on request.";
      case "HostSignal" -> "QEMU was ended by a signal.";
      case "OutOfMemory" ->
          "The kernel of the node killed QEMU at the pod's memory limit. Please report it: the"
              + " overhead in status.resources was too small.";
      default -> "QEMU ended with an error.";
    };
  }
}
