package dev.qemuoperator.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.qmp.EventLog.StepTaken;
import dev.qemuoperator.qmp.EventLog.StopStep;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventLogTest {

  @Test
  void guestThatPoweredOff() {
    EventLog log =
        EventLog.parse(
            """
            {"timestamp": {"seconds": 1795341600, "microseconds": 5}, "event": "POWERDOWN"}
            {"timestamp": {"seconds": 1795341601, "microseconds": 250000}, "event": "SHUTDOWN", \
            "data": {"guest": true, "reason": "guest-shutdown"}}
            {"event":"WRAPPER","data":{"accelerator":"KVM","signal":null,"exitCode":0}}
            """);

    assertThat(log.shutdown())
        .contains(new Shutdown(true, "guest-shutdown", Instant.parse("2026-11-22T10:00:01.25Z")));
    assertThat(log.events()).extracting(Event::name).contains("POWERDOWN");
    assertThat(log.termSignalled()).isFalse();
    assertThat(log.panicked()).isFalse();
    assertThat(log.wrapperFailure()).isEmpty();
    assertThat(log.stopSteps()).isEmpty();
    assertThat(log.stderr()).isEmpty();
  }

  @Test
  void lastShutdownCounts() {
    EventLog log =
        EventLog.parse(
            """
            {"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}
            {"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}}\
            """);

    assertThat(log.shutdown()).contains(new Shutdown(false, "host-qmp-quit", null));
  }

  @Test
  void rebootByTheWatchdogIsNotTheGuestsOwn() {
    String byTheWatchdog =
        """
        {"event": "WATCHDOG", "data": {"action": "reset"}}
        {"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}
        """;
    String muchLater =
        """
        {"event": "WATCHDOG", "data": {"action": "reset"}}
        {"event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}
        {"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}
        """;

    assertThat(EventLog.parse(byTheWatchdog).shutdown())
        .contains(new Shutdown(true, "watchdog", null));
    assertThat(EventLog.parse(muchLater).shutdown())
        .contains(new Shutdown(true, "guest-reset", null));
  }

  @Test
  void watchdogThatPowersOffIsAnEndWithoutShutdown() {
    EventLog log =
        EventLog.parse(
            """
            {"timestamp": {"seconds": 1795341600, "microseconds": 0}, "event": "WATCHDOG", \
            "data": {"action": "poweroff"}}
            {"event":"WRAPPER","data":{"accelerator":"TCG","signal":null,"exitCode":1}}
            """);

    assertThat(log.shutdown())
        .contains(new Shutdown(false, "watchdog", Instant.parse("2026-11-22T10:00:00Z")));
  }

  @Test
  void watchdogThatResetsEndsNothing() {
    EventLog log =
        EventLog.parse(
            """
            {"event": "WATCHDOG", "data": {"action": "reset"}}
            """);

    assertThat(log.shutdown()).isEmpty();
  }

  @Test
  void podThatWasAskedToEnd() {
    EventLog log =
        EventLog.parse(
            """
            {"event":"WRAPPER","data":{"accelerator":"TCG","signal":"TERM","exitCode":0}}
            """);

    assertThat(log.termSignalled()).isTrue();
  }

  @Test
  void stepsOfAStopAreInOrder() {
    EventLog log =
        EventLog.parse(
            """
            {"event":"STOP_STEP","data":{"step":"PowerButton"},\
            "timestamp":{"seconds":1795341600,"microseconds":5}}
            {"event":"STOP_STEP","data":{"step":"PowerButtonAgain"},\
            "timestamp":{"seconds":1795341660,"microseconds":250000}}
            {"event":"STOP_STEP","data":{"step":"Quit"}}
            {"event":"STOP_STEP","data":{"step":"Kill"}}
            {"event":"WRAPPER","data":{"accelerator":"TCG","signal":"TERM","exitCode":137}}
            """);

    assertThat(log.stopSteps())
        .containsExactly(
            new StepTaken(StopStep.POWER_BUTTON, Instant.parse("2026-11-22T10:00:00.000005Z")),
            new StepTaken(StopStep.POWER_BUTTON_AGAIN, Instant.parse("2026-11-22T10:01:00.25Z")),
            new StepTaken(StopStep.QUIT, null),
            new StepTaken(StopStep.KILL, null));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"step\": \"Beg\"}", "{\"step\": 1}", "{}", "\"Quit\"", "null"})
  void stepThatThisReleaseDoesNotKnowIsLeftOut(String data) {
    EventLog log =
        EventLog.parse(
            """
            {"event":"STOP_STEP","data":%s}
            {"event":"STOP_STEP","data":{"step":"Quit"}}
            """
                .formatted(data));

    assertThat(log.stopSteps()).extracting(StepTaken::step).containsExactly(StopStep.QUIT);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"poweroff\"}}",
        "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-panic\"}}"
      })
  void panickedGuestIsToldByEitherEvent(String line) {
    assertThat(EventLog.parse(line).panicked()).isTrue();
  }

  @Test
  void wrapperThatCouldNotStartQemu() {
    EventLog log =
        EventLog.parse(
            """
            {"event":"WRAPPER_FAILED","data":{"reason":"DiskFailed","disk":"root","message":"full"}}
            {"event":"WRAPPER","data":{"accelerator":null,"signal":null,"exitCode":70}}
            """);

    assertThat(log.wrapperFailure())
        .contains(new EventLog.WrapperFailure("DiskFailed", "root", "", "full"));
  }

  @Test
  void standardErrorOfQemuKeepsItsLines() {
    EventLog log =
        EventLog.parse(
            """
            {"event":"QEMU_STDERR","data":{"text":"one\\ntwo \\"x\\"\\n"}}
            """);

    assertThat(log.stderr()).isEqualTo("one\ntwo \"x\"\n");
  }

  @Test
  void cutLinesCarriageReturnsAndGarbageAreLeftOut() {
    EventLog log =
        EventLog.parse(
            "microseconds\": 5}, \"event\": \"STOP\"}\r\n"
                + "{\"event\": \"RESUME\"}\r\n"
                + "\r\n"
                + "qemu-system-x86_64: terminating on signal 15\n"
                + "{\"return\": {}}\r\n"
                + "null\n[1]\n5\n\"event\"\n{\"event\": 5}\n"
                + "{\"timestamp\": {\"seconds\": 99999999999999999}, \"event\": \"RESET\"}\n"
                + "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": tr");

    assertThat(log.events()).extracting(Event::name).containsExactly("RESUME", "RESET");
    assertThat(log.shutdown()).isEmpty();
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "\n", "OOMKilled", "{\"event\":\"WRAPPER\"}"})
  void messageThatTellsNothing(String message) {
    EventLog log = EventLog.parse(message);

    assertThat(log.shutdown()).isEmpty();
    assertThat(log.termSignalled()).isFalse();
    assertThat(log.stderr()).isEmpty();
  }
}
