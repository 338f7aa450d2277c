package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.QmpErrors;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
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

class DiskResizesTest {

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final long GIBIBYTE = 1L << 30;
  private static final String TOLD = "root " + 20 * GIBIBYTE;

  private final List<String> told = new ArrayList<>();
  private Instant now = NOON;
  private boolean refuses;

  private final DiskResizes resizes =
      new DiskResizes(
          (vm, disk, bytes) -> {
            told.add(disk + " " + bytes);
            if (refuses) {
              throw QmpErrors.refusal("block_resize");
            }
          },
          clock(() -> now));

  @Test
  void diskGrowsOnceItsClaimIsLargeEnough() throws IOException {
    pass("8Gi", has(8));
    pass("19Gi", has(8));
    assertThat(told).isEmpty();
    pass("20Gi", has(8));
    pass("20Gi", has(8));
    assertThat(told).containsExactly(TOLD);
    pass("20Gi", has(20));
    pass("20Gi", has(24));
    assertThat(told).hasSize(1);
  }

  @Test
  void diskThatIsBeingCopiedIntoWaits() throws IOException {
    pass("20Gi", new DiskImage(true, 40, null, null, 8 * GIBIBYTE, null, false));
    assertThat(told).isEmpty();
    pass("20Gi", has(8));
    assertThat(told).containsExactly(TOLD);
  }

  @Test
  void refusalIsRepeatedSeldom() throws IOException {
    refuses = true;
    pass("20Gi", has(8));
    DiskImage refused = new DiskImage(false, null, null, null, 8 * GIBIBYTE, "no", false);
    now = NOON.plus(Duration.ofMinutes(4));
    pass("20Gi", refused);
    assertThat(told).hasSize(1);
    now = NOON.plus(DiskResizes.AGAIN);
    pass("20Gi", refused);
    assertThat(told).containsExactly(TOLD, TOLD);
  }

  @Test
  void whatAnotherRunOfQemuWasToldSaysNothingOfThisOne() throws IOException {
    pass("20Gi", has(8));
    resizes.advance("default/web", inputs("20Gi", has(8), "c2"));
    assertThat(told).containsExactly(TOLD, TOLD);
  }

  private static DiskImage has(long gibibytes) {
    return new DiskImage(false, null, null, null, gibibytes * GIBIBYTE, null, false);
  }

  private void pass(String capacity, DiskImage image) throws IOException {
    resizes.advance("default/web", inputs(capacity, image, "c1"));
  }

  private static MachineInputs inputs(String capacity, DiskImage image, String incarnation) {
    return Inputs.of(
        ApiServerDefaults.virtualMachine(
            """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachine
            metadata: {name: web}
            spec:
              disks:
              - {name: root, size: 20Gi, source: {containerImage: {image: a}}}
            """),
        Optional.of(runningPod()),
        Map.of("web-root", claim(capacity)),
        Optional.of(
            new Observation(
                Channel.CONNECTED,
                NOON,
                null,
                QemuAnswers.running(Map.of("root", image), Map.of()),
                Heard.NOTHING,
                incarnation)),
        Optional.empty());
  }

  private static PodFacts runningPod() {
    return new PodFacts(
        new PodBuilder()
            .withNewStatus()
            .addNewContainerStatus()
            .withName("qemu")
            .withNewState()
            .withNewRunning()
            .endRunning()
            .endState()
            .endContainerStatus()
            .endStatus()
            .build());
  }

  private static PersistentVolumeClaim claim(String capacity) {
    return new PersistentVolumeClaimBuilder()
        .withNewMetadata()
        .withName("web-root")
        .endMetadata()
        .withNewSpec()
        .endSpec()
        .withNewStatus()
        .withPhase("Bound")
        .addToCapacity("storage", new Quantity(capacity))
        .endStatus()
        .build();
  }

  private static Clock clock(InstantSource source) {
    return source.withZone(ZoneOffset.UTC);
  }
}
