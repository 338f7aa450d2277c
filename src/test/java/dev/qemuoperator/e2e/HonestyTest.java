package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.Statuses;
import dev.qemuoperator.api.VirtualMachineStatus;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The judge of the fault suite can find somebody guilty. */
class HonestyTest {

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final Map<String, List<String>> RUNS = Map.of("web", List.of("running"));
  private static final Map<String, List<String>> ABSENT = Map.of();

  private final Honesty honesty = new Honesty();

  @ParameterizedTest
  @CsvSource({
    "True, Running, running, running, false",
    "True, Running, running, paused, true",
    "True, Running, , paused, true",
    "True, Running, running, absent, true",
    "True, Running, , silent, true",
    "False, Restarting, , absent, false",
    "False, Restarting, , running, true",
    "False, Paused, paused, running, true",
    "False, Paused, paused, paused, false",
    "False, Stopping, running, running, false",
    "False, Halted, running, absent, true",
    "Unknown, QMPUnreachable, , running, false",
    "Unknown, QMPUnreachable, , absent, false",
  })
  void claimIsComparedWithQemu(
      String running, String reason, String runState, String truth, boolean untrue) {
    assertThat(Honesty.contradiction(status(running, reason, runState), truth).isPresent())
        .isEqualTo(untrue);
  }

  @Test
  void lieLastsFromTheLookBeforeItToTheLastLookAtIt() {
    look(0, true, status("True", "Running", "running"), RUNS);
    look(1, true, status("True", "Running", "running"), ABSENT);
    look(4, true, status("True", "Running", "running"), ABSENT);
    look(5, true, status("False", "Restarting", null), ABSENT);
    assertThat(honesty.longest().lasted()).isEqualTo(Duration.ofSeconds(4));
    assertThat(honesty.longest().toString())
        .contains("web: process.runState running", "absent", "4.0 s");
  }

  @Test
  void timeWithoutAnOperatorIsToldAndNotCounted() {
    look(0, true, status("True", "Running", "running"), RUNS);
    look(1, false, status("True", "Running", "running"), ABSENT);
    look(20, false, status("True", "Running", "running"), ABSENT);
    look(21, true, status("True", "Running", "running"), ABSENT);
    assertThat(honesty.longest().lasted()).isEqualTo(Duration.ofSeconds(1));
    assertThat(honesty.longestAbsence()).isEqualTo(Duration.ofSeconds(20));
  }

  @Test
  void guestThatRunsTwiceIsNoticed() {
    VirtualMachineStatus status = status("True", "Running", "running");
    look(0, true, status, Map.of("web", List.of("silent", "running")));
    assertThat(honesty.twice()).isEmpty();
    look(1, true, status, Map.of("web", List.of("running", "running")));
    assertThat(honesty.twice()).startsWith("web");
  }

  private void look(
      int second, boolean operated, VirtualMachineStatus status, Map<String, List<String>> truth) {
    honesty.look(NOON.plusSeconds(second), operated, Map.of("web", status), truth);
  }

  private static VirtualMachineStatus status(String running, String reason, String runState) {
    return Statuses.EMPTY
        .with(new VirtualMachineStatus.Process(runState, null, null, null, 0, null, null))
        .of(
            new ConditionBuilder()
                .withType("Running")
                .withStatus(running)
                .withReason(reason)
                .build());
  }
}
