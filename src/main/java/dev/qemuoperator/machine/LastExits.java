package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.qmp.EventLog.WrapperFailure;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.Shutdown;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Why the guest's process ended, told from QEMU's event log in the pod's termination message and
 * its exit code; from the event that QEMU sent while the operator listened, if the pod is gone
 * before anybody could read it.
 */
final class LastExits {

  private static final int KILLED = 137;
  private static final int SIGNALLED = 128;

  private LastExits() {}

  static Optional<LastExit> of(
      Optional<PodFacts> pod, Optional<Observation> qmp, Optional<LastExit> before) {
    Optional<ContainerStateTerminated> ended = pod.flatMap(PodFacts::lastTermination);
    Optional<Shutdown> heard = qmp.map(Observation::heard).map(Heard::shutdown);
    if (heard.isPresent() && ended.filter(end -> isOf(end, heard.get())).isEmpty()) {
      return Optional.of(read(heard.get(), pod));
    }
    return ended.map(LastExits::read).or(() -> before);
  }

  /** The kubelet's times are whole seconds; an end of an earlier run lies before the event. */
  private static boolean isOf(ContainerStateTerminated ended, Shutdown heard) {
    return !Instant.parse(ended.getFinishedAt())
        .isBefore(heard.at().truncatedTo(ChronoUnit.SECONDS));
  }

  private static LastExit read(ContainerStateTerminated ended) {
    EventLog log = EventLog.parse(ended.getMessage() == null ? "" : ended.getMessage());
    String cause = cause(ended, log);
    return new LastExit(
        cause, ended.getExitCode(), ended.getFinishedAt(), message(cause, ended, log), null);
  }

  private static LastExit read(Shutdown shutdown, Optional<PodFacts> pod) {
    boolean asked = pod.isEmpty() || pod.get().isDeleting();
    String cause = asked && isOrderly(shutdown.reason()) ? "Requested" : cause(shutdown.reason());
    return new LastExit(cause, null, shutdown.at().toString(), describe(cause), null);
  }

  private static String cause(ContainerStateTerminated ended, EventLog log) {
    Optional<String> reason = log.shutdown().map(Shutdown::reason);
    if (log.panicked()) {
      return "GuestPanic";
    }
    if (log.termSignalled() && reason.filter(LastExits::isOrderly).isPresent()) {
      return "Requested";
    }
    if (reason.isPresent()) {
      return cause(reason.get());
    }
    if ("OOMKilled".equals(ended.getReason())) {
      return "OutOfMemory";
    }
    if (log.termSignalled() && ended.getExitCode() == 0) {
      return "Requested"; // asked to stop before QEMU ran
    }
    return ended.getExitCode() > SIGNALLED ? "HostSignal" : "QemuError";
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
            log.stderr().isEmpty() ? "" : "QEMU said: " + log.stderr().strip() + ".")
        .filter(part -> !part.isEmpty())
        .reduce((a, b) -> a + " " + b)
        .orElse("");
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
      case "Requested" -> "The guest was powered off on request.";
      case "HostSignal" -> "QEMU was ended by a signal.";
      case "OutOfMemory" ->
          "The kernel of the node killed QEMU at the pod's memory limit. Please report it: the"
              + " overhead in status.resources was too small.";
      default -> "QEMU ended with an error.";
    };
  }
}
