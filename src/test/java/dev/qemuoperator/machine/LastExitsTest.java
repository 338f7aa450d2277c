package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.Statuses;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.api.VirtualMachineStatus.Process;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.Shutdown;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LastExitsTest {

  private static final String END = "2026-01-01T12:00:00Z";
  private static final LastExit EARLIER =
      new LastExit("Requested", 0, "2025-01-01T00:00:00Z", "", null, null);

  /** What QEMU logged, whether the pod was asked to end, exit code, the kubelet's reason: cause. */
  @ParameterizedTest
  @CsvSource({
    "guest-shutdown,       false, 0,   Completed, GuestShutdown",
    "guest-shutdown,       true,  0,   Completed, Requested",
    "host-qmp-quit,        true,  0,   Completed, Requested",
    "host-signal,          true,  0,   Completed, Requested",
    "host-signal,          false, 0,   Completed, HostSignal",
    "guest-reset,          false, 0,   Completed, GuestReset",
    "guest-panic,          false, 1,   Error,     GuestPanic",
    "guest-panic,          true,  1,   Error,     GuestPanic",
    "watchdog,             false, 1,   Error,     Watchdog",
    "host-error,           false, 1,   Error,     QemuError",
    "a-cause-of-tomorrow,  false, 1,   Error,     QemuError",
    "'',                   false, 137, OOMKilled, OutOfMemory",
    "'',                   false, 137, Error,     HostSignal",
    "'',                   false, 139, Error,     HostSignal",
    "'',                   true,  0,   Completed, Requested",
    "'',                   false, 1,   Error,     QemuError",
    "'',                   false, 70,  Error,     QemuError",
  })
  void endOfTheContainerHasACause(
      String event, boolean asked, int code, String reason, String cause) {
    String log =
        event.isEmpty()
            ? ""
            : "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": \"%s\"}}\n"
                .formatted(event);
    String signal = asked ? "\"TERM\"" : "null";
    String wrapper =
        "{\"event\":\"WRAPPER\",\"data\":{\"accelerator\":\"KVM\",\"signal\":%s,\"exitCode\":%d}}"
            .formatted(signal, code);
    LastExit exit = exit(ended(code, reason, log + wrapper), Optional.empty()).orElseThrow();
    assertThat(exit.cause()).isEqualTo(cause);
    assertThat(exit.exitCode()).isEqualTo(code);
    assertThat(exit.at()).isEqualTo(END);
    assertThat(exit.message()).matches("[A-Z].*\\.");
  }

  @Test
  void nothingNewLeavesTheExitBefore() {
    assertThat(last(Optional.empty(), Optional.empty())).contains(EARLIER);
  }

  @Test
  void endThatWasHeardIsToldBeforeThePodHasIt() {
    assertThat(exit(running(), heard("guest-shutdown", "2026-01-01T12:00:00.5Z")).orElseThrow())
        .isEqualTo(
            new LastExit(
                "GuestShutdown",
                null,
                "2026-01-01T12:00:00.500Z",
                "The guest powered itself off.",
                null,
                null));
  }

  @Test
  void podsWordReplacesWhatWasHeardOfTheSameEnd() {
    assertThat(
            exit(ended(0, "Completed", ""), heard("guest-shutdown", "2026-01-01T12:00:00.9Z"))
                .map(LastExit::exitCode))
        .contains(0);
  }

  @Test
  void endOfAnEarlierRunDoesNotHideTheOneThatWasJustHeard() {
    assertThat(
            exit(ended(1, "Error", ""), heard("guest-shutdown", "2026-01-01T12:00:05Z"))
                .map(LastExit::cause))
        .contains("GuestShutdown");
  }

  @Test
  void shutdownOfAPodThatIsGoneWasRequested() {
    assertThat(
            last(Optional.empty(), heard("guest-shutdown", "2026-01-01T12:00:05Z"))
                .map(LastExit::cause))
        .contains("Requested");
  }

  @Test
  void missingBaseImageNeedsNobodyToDeleteThePod() {
    String failure =
        "{\"event\":\"WRAPPER_FAILED\",\"data\":{\"reason\":\"BaseImageMissing\",\"disk\":\"root\","
            + "\"message\":\"delete the pod\"}}";
    assertThat(exit(ended(70, "Error", failure), Optional.empty()).orElseThrow().message())
        .isEqualTo("The base image of disk root is not on this node; a new pod fetches it.");
  }

  /** Restarts of the pod; start, and restarts told, of the run before; end told: what is said. */
  @ParameterizedTest
  @CsvSource({
    "0, 2025-01-01T00:00:00Z, 0, Requested", // nothing has ended since
    "1, 2025-01-01T00:00:01Z, 0, Unknown", // what has been told was the end of an earlier run
    "1, 2024-12-31T00:00:00Z, 0, Requested", // it is the end of the run before
    "1, '',                   0, Requested", // as it was looked at, it had ended
    "2, '',                   0, Unknown", // it has ended twice
    "1, 2025-01-01T00:00:01Z, 1, Requested", // it has been told already
  })
  void endThatTheKubeletForgotIsNotPassedOver(
      int restarts, String startedBefore, int restartsBefore, String cause) {
    Process process =
        new Process(
            null,
            startedBefore.isEmpty() ? null : startedBefore,
            null,
            null,
            restartsBefore,
            null,
            null);
    VirtualMachineStatus before = Statuses.EMPTY.with(EARLIER).with(process).of();
    assertThat(last(Optional.of(running(restarts)), Optional.empty(), before).map(LastExit::cause))
        .contains(cause);
  }

  private static Optional<LastExit> exit(PodFacts pod, Optional<Observation> qmp) {
    return last(Optional.of(pod), qmp);
  }

  private static Optional<LastExit> last(Optional<PodFacts> pod, Optional<Observation> qmp) {
    return last(pod, qmp, Statuses.EMPTY.with(EARLIER).of());
  }

  private static Optional<LastExit> last(
      Optional<PodFacts> pod, Optional<Observation> qmp, VirtualMachineStatus before) {
    MachineInputs in =
        Inputs.of(
            new VirtualMachine(), pod, Map.of(), qmp, Optional.of("Kernel panic - not syncing"));
    return new LastExits(in, Optional.of(before), Instant.parse(END)).last();
  }

  private static Optional<Observation> heard(String reason, String at) {
    Instant moment = Instant.parse(at);
    return Optional.of(
        new Observation(
            Channel.LOST,
            moment,
            null,
            null,
            new Heard(new Shutdown(true, reason, moment), null, 0, null),
            "containerd://1"));
  }

  private static PodFacts running() {
    return running(0);
  }

  private static PodFacts running(int restarts) {
    // @formatter:off
    return new PodFacts(
        new PodBuilder()
            .withNewMetadata().endMetadata()
            .withNewStatus()
              .addNewContainerStatus()
                .withName("qemu")
                .withRestartCount(restarts)
                .withNewState().withNewRunning().endRunning().endState()
              .endContainerStatus()
            .endStatus()
            .build());
    // @formatter:on
  }

  private static PodFacts ended(int code, String reason, String message) {
    // @formatter:off
    return new PodFacts(
        new PodBuilder()
            .withNewMetadata().endMetadata()
            .withNewStatus()
              .addNewContainerStatus()
                .withName("qemu")
                .withNewState()
                  .withNewTerminated()
                    .withExitCode(code)
                    .withReason(reason)
                    .withFinishedAt(END)
                    .withMessage(message)
                  .endTerminated()
                .endState()
              .endContainerStatus()
            .endStatus()
            .build());
    // @formatter:on
  }
}
