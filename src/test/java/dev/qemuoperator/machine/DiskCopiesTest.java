package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.Statuses;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.QmpErrors;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DiskCopiesTest {

  private static final Instant READY = Instant.parse("2026-01-01T12:00:00Z");
  private static final long SIZE = 8L << 30;
  private static final String BASE = "sha256:" + "0a".repeat(32);
  private static final DiskImage BACKED = new DiskImage(true, null, BASE, null, SIZE, null, false);
  private static final DiskImage COPYING = new DiskImage(true, 40, BASE, null, SIZE, null, false);
  private static final DiskImage FAILED =
      new DiskImage(true, null, BASE, "No space left on device", SIZE, null, false);

  private final List<String> told = new ArrayList<>();
  private Instant now = READY;
  private boolean refuses;

  private final DiskCopies copies =
      new DiskCopies(
          new DiskCopies.Commands() {
            @Override
            public void copy(String vm, String disk, long bytesPerSecond) throws IOException {
              told.add("copy " + disk + " " + bytesPerSecond);
              if (refuses) {
                throw QmpErrors.refusal("block-stream");
              }
            }

            @Override
            public void cancelCopy(String vm, String disk) {
              told.add("cancel " + disk);
            }
          },
          2,
          new Clock() {
            @Override
            public Instant instant() {
              return now;
            }

            @Override
            public ZoneOffset getZone() {
              return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(java.time.ZoneId zone) {
              return this;
            }
          });

  @Test
  void beginsHalfAMinuteAfterReadyAndOnce() throws IOException {
    assertThat(pass(true, true, BACKED)).as("nothing left").isFalse();
    after(Duration.ofSeconds(29));
    assertThat(pass(true, true, BACKED)).isFalse();
    assertThat(told).isEmpty();

    after(Duration.ofSeconds(30));
    assertThat(pass(true, true, BACKED)).isTrue();
    pass(true, true, BACKED);
    pass(true, true, COPYING);
    assertThat(told).containsExactly("copy root 2097152");
  }

  @Test
  void vmThatIsNotReadyIsLeftAloneAndNotComeBackFor() throws IOException {
    after(Duration.ofHours(1));
    assertThat(pass(false, true, BACKED)).isTrue();
    assertThat(told).isEmpty();
  }

  @Test
  void selfContainedDiskNeedsNothing() throws IOException {
    after(Duration.ofHours(1));
    assertThat(pass(true, true, new DiskImage(false, null, null, null, SIZE, null, false)))
        .isTrue();
    assertThat(told).isEmpty();
  }

  @Test
  void copyIsCancelledWhetherTheVmIsReadyOrNot() throws IOException {
    assertThat(pass(false, false, COPYING)).isTrue();
    assertThat(told).containsExactly("cancel root");
  }

  @Test
  void copyThatFailedIsNotRepeatedUntilTheSwitchIsUsed() throws IOException {
    after(Duration.ofMinutes(1));
    pass(true, true, BACKED);
    after(Duration.ofHours(1));
    assertThat(pass(true, true, FAILED)).isTrue();
    assertThat(told).hasSize(1);

    pass(true, false, FAILED);
    pass(true, true, FAILED);
    assertThat(told).containsExactly("copy root 2097152", "copy root 2097152");
  }

  @Test
  void refusalIsRepeatedSeldom() throws IOException {
    refuses = true;
    after(Duration.ofMinutes(1));
    assertThat(pass(true, true, BACKED)).isFalse();
    after(Duration.ofMinutes(5));
    pass(true, true, BACKED);
    assertThat(told).hasSize(1);
    after(Duration.ofMinutes(6));
    pass(true, true, BACKED);
    assertThat(told).hasSize(2);
  }

  private void after(Duration time) {
    now = READY.plus(time);
  }

  private boolean pass(boolean ready, boolean wanted, DiskImage image) throws IOException {
    return copies.advance("default/web", inputs(wanted, image), status(ready));
  }

  private static MachineInputs inputs(boolean wanted, DiskImage image) {
    return Inputs.of(
        ApiServerDefaults.virtualMachine(
            """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachine
            metadata: {name: web}
            spec:
              disks:
              - {name: root, size: 8Gi, source: {containerImage: {image: a}}, selfContained: %s}
            """
                .formatted(wanted)),
        Optional.empty(),
        Optional.of(
            new Observation(
                Channel.CONNECTED,
                READY,
                null,
                QemuAnswers.running(Map.of("root", image), Map.of()),
                Heard.NOTHING,
                "c1")));
  }

  private static VirtualMachineStatus status(boolean ready) {
    Condition condition =
        new ConditionBuilder()
            .withType("Ready")
            .withStatus(ready ? "True" : "False")
            .withLastTransitionTime(READY.toString())
            .build();
    return Statuses.EMPTY.of(condition);
  }
}
