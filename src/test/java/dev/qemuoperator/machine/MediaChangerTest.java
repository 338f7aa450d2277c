package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.CdromDrive;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.QmpErrors;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MediaChangerTest {

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final CdromDrive FREE = has(false, null);
  private static final CdromDrive LOCKED = has(true, null);
  private static final CdromDrive REFUSED = has(false, "no");

  private final List<String> told = new ArrayList<>();
  private Instant now = NOON;
  private Optional<IOException> answer = Optional.empty();

  private final MediaChanger media =
      new MediaChanger(
          (vm, drive, medium) -> {
            told.add(drive + " " + medium);
            if (answer.isPresent()) {
              throw answer.get();
            }
          },
          clock(() -> now));

  @Test
  void guestIsAskedSeldomForWhatItHasLockedAndServedAtOnceWhenItLetsGo() throws IOException {
    pass(FREE);
    pass(LOCKED);
    assertThat(told).containsExactly("iso null");
    now = NOON.plus(MediaChanger.AGAIN);
    pass(LOCKED);
    assertThat(told).as("it may have missed it").hasSize(2);
    now = now.plusSeconds(1);
    pass(FREE);
    assertThat(told).hasSize(3);
  }

  @Test
  void refusalIsRepeatedSeldom() throws IOException {
    answer = Optional.of(QmpErrors.refusal("blockdev-open-tray"));
    pass(FREE);
    now = NOON.plus(Duration.ofMinutes(4));
    pass(REFUSED);
    assertThat(told).hasSize(1);
    now = NOON.plus(MediaChanger.AGAIN);
    pass(REFUSED);
    assertThat(told).hasSize(2);
  }

  @Test
  void lostConnectionIsTheCallersToRepeat() {
    answer = Optional.of(new IOException("gone"));
    assertThatIOException().isThrownBy(() -> pass(FREE));
    assertThatIOException().isThrownBy(() -> pass(FREE));
    assertThat(told).hasSize(2);
  }

  @Test
  void whatAnotherRunOfQemuWasAskedSaysNothingOfThisOne() throws IOException {
    pass(LOCKED);
    media.advance("default/web", inputs(LOCKED, "c2"));
    assertThat(told).hasSize(2);
  }

  private static Clock clock(InstantSource source) {
    return source.withZone(ZoneOffset.UTC);
  }

  private static CdromDrive has(boolean locked, String refusal) {
    return new CdromDrive("cdrom-iso", "sha256:" + "0c".repeat(32), locked, refusal);
  }

  private void pass(CdromDrive drive) throws IOException {
    media.advance("default/web", inputs(drive, "c1"));
  }

  /** The medium is to be taken out. */
  private static MachineInputs inputs(CdromDrive drive, String incarnation) {
    return Inputs.of(
        ApiServerDefaults.virtualMachine(
            """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachine
            metadata: {name: web}
            spec:
              disks:
              - {name: root, size: 20Gi, source: {containerImage: {image: a}}}
              cdroms:
              - {name: iso}
            """),
        Optional.of(runningPod()),
        Optional.of(
            new Observation(
                Channel.CONNECTED,
                NOON,
                null,
                QemuAnswers.running(Map.of(), Map.of("iso", drive)),
                Heard.NOTHING,
                incarnation)));
  }

  private static PodFacts runningPod() {
    // @formatter:off
    return new PodFacts(
        new PodBuilder()
            .withNewMetadata()
              .withName("web")
              .addToLabels("app.kubernetes.io/managed-by", "qemu-operator")
              .addToLabels("qemu-operator.dev/vm", "web")
              .addToAnnotations(
                  "qemu-operator.dev/spec",
                  "{\"spec.cdroms[iso].name\": \"iso\", \"spec.cdroms[iso].source.image\": \"netinst\"}")
            .endMetadata()
            .withNewStatus()
              .addNewContainerStatus()
                .withName("qemu")
                .withNewState().withNewRunning().endRunning().endState()
              .endContainerStatus()
            .endStatus()
            .build());
    // @formatter:on
  }
}
