package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import dev.qemuoperator.status.Verdict;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ImageReportTest {

  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final String REFRESH = "qemu-operator.dev/refresh-requested-at";
  private static final Resolution FOUND =
      new Resolution(
          Verdict.yes("Resolved", "It is there."),
          Optional.of("https://images.example/a.qcow2"),
          Optional.of("sha256:" + "0a".repeat(32)));
  private static final Resolution LOST =
      new Resolution(
          Verdict.no("SourceUnavailable", "No source answers."),
          Optional.empty(),
          Optional.empty());

  private final VirtualMachineImage image = new VirtualMachineImage();

  ImageReportTest() {
    image.getMetadata().setName("a");
    image.getMetadata().setGeneration(1L);
    image.setSpec(new VirtualMachineImageSpec(List.of(), null, null, null));
  }

  @Test
  void whatWasFoundStays() {
    VirtualMachineImageStatus first = ImageReport.of(image, FOUND, 1, NOW);
    image.setStatus(first);
    assertThat(ImageReport.pinned(image)).contains(FOUND);
    assertThat(ImageReport.of(image, FOUND, 1, NOW.plusSeconds(60))).isEqualTo(first);
  }

  @Test
  void nothingIsPinnedBeforeItIsFound() {
    assertThat(ImageReport.pinned(image)).isEmpty();
    image.setStatus(ImageReport.of(image, Resolution.NOT_LOOKED_UP, 0, NOW));
    assertThat(ImageReport.pinned(image)).isEmpty();
    image.setStatus(ImageReport.of(image, LOST, 1, NOW));
    assertThat(ImageReport.pinned(image)).isEmpty();
  }

  @Test
  void anotherSpecIsLookedUpAnew() {
    image.setStatus(ImageReport.of(image, FOUND, 1, NOW));
    image.getMetadata().setGeneration(2L);
    assertThat(ImageReport.pinned(image)).isEmpty();
  }

  @Test
  void refreshIsDoneOnceAndOnlyIfItSucceeds() {
    image.setStatus(ImageReport.of(image, FOUND, 1, NOW));
    image.getMetadata().setAnnotations(Map.of(REFRESH, "2026-01-01T13:00:00Z"));
    assertThat(ImageReport.pinned(image)).isEmpty();

    image.setStatus(ImageReport.of(image, LOST, 1, NOW.plusSeconds(60)));
    assertThat(image.getStatus().refreshRequestedAt()).isNull();
    assertThat(ImageReport.pinned(image)).isEmpty();

    image.setStatus(ImageReport.of(image, FOUND, 1, NOW.plusSeconds(120)));
    assertThat(image.getStatus().refreshRequestedAt()).isEqualTo("2026-01-01T13:00:00Z");
    assertThat(image.getStatus().resolvedAt()).isEqualTo("2026-01-01T12:02:00Z");
    assertThat(ImageReport.pinned(image)).contains(FOUND);
  }
}
