package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageSpec.Http;
import dev.qemuoperator.api.VirtualMachineImageSpec.Source;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import dev.qemuoperator.image.Users.Use;
import dev.qemuoperator.pod.HostPathRoots;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ImageReportTest {

  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final String REFRESH = "qemu-operator.dev/refresh-requested-at";
  private static final Resolution FOUND =
      Resolution.found("https://images.example/a.qcow2", Optional.of("sha256:" + "0a".repeat(32)));
  private static final Resolution NEWER =
      Resolution.found("https://images.example/a.qcow2", Optional.of("sha256:" + "0b".repeat(32)));
  private static final Resolution LOST =
      Resolution.unusable("SourceUnavailable", "No source answers");

  private final VirtualMachineImage image = new VirtualMachineImage();

  ImageReportTest() {
    image.getMetadata().setName("a");
    image.getMetadata().setGeneration(1L);
    image.setSpec(
        new VirtualMachineImageSpec(
            List.of(new Source(null, new Http("https://images.example/a.qcow2", null), null)),
            null,
            null,
            null,
            null));
  }

  @Test
  void whatWasFoundStays() {
    VirtualMachineImageStatus first = report(FOUND, NOW);
    image.setStatus(first);
    assertThat(ImageReport.pinned(image, HostPathRoots.NONE)).contains(FOUND);
    assertThat(report(FOUND, NOW.plusSeconds(60))).isEqualTo(first);
  }

  @Test
  void nothingIsPinnedBeforeItIsFound() {
    assertThat(ImageReport.pinned(image, HostPathRoots.NONE)).isEmpty();
    image.setStatus(report(Resolution.NOT_LOOKED_UP, NOW));
    assertThat(ImageReport.pinned(image, HostPathRoots.NONE)).isEmpty();
    image.setStatus(report(LOST, NOW));
    assertThat(ImageReport.pinned(image, HostPathRoots.NONE)).isEmpty();
  }

  @Test
  void anotherSpecIsLookedUpAnew() {
    image.setStatus(report(FOUND, NOW));
    image.getMetadata().setGeneration(2L);
    assertThat(ImageReport.pinned(image, HostPathRoots.NONE)).isEmpty();
  }

  @Test
  void refreshIsDoneOnce() {
    image.setStatus(report(FOUND, NOW));
    assertThat(ImageReport.isRefreshRequested(image)).isFalse();
    image.getMetadata().setAnnotations(Map.of(REFRESH, "noon"));
    assertThat(ImageReport.isRefreshRequested(image)).isTrue();

    image.setStatus(report(NEWER, NOW.plusSeconds(120)));
    assertThat(image.getStatus().refreshRequestedAt()).isEqualTo("noon");
    assertThat(image.getStatus().resolvedAt()).isEqualTo("2026-01-01T12:02:00Z");
    assertThat(ImageReport.isRefreshRequested(image)).isFalse();
    assertThat(ImageReport.pinned(image, HostPathRoots.NONE)).contains(NEWER);
  }

  @Test
  void refreshThatFailsLosesNothing() {
    image.setStatus(report(FOUND, NOW));
    image.getMetadata().setAnnotations(Map.of(REFRESH, "noon"));
    image.setStatus(report(FOUND.inSpiteOf(LOST), NOW.plusSeconds(60)));
    assertThat(image.getStatus().refreshRequestedAt()).isNull();
    assertThat(image.getStatus().resolvedAt()).isEqualTo("2026-01-01T12:00:00Z");
    assertThat(image.getStatus().conditions())
        .first()
        .satisfies(
            ready -> {
              assertThat(ready.getStatus()).isEqualTo("True");
              assertThat(ready.getMessage()).contains("refresh", "No source answers");
            });
    assertThat(ImageReport.isRefreshRequested(image)).as("it is tried again").isTrue();
    assertThat(ImageReport.pinned(image, HostPathRoots.NONE)).contains(FOUND);
  }

  @Test
  void annotationThatIsTakenAwayAsksForNothing() {
    image.getMetadata().setAnnotations(Map.of(REFRESH, "noon"));
    image.setStatus(report(FOUND, NOW));
    image.getMetadata().setAnnotations(Map.of());
    assertThat(ImageReport.isRefreshRequested(image)).isFalse();
    image.setStatus(report(FOUND, NOW));
    image.getMetadata().setAnnotations(Map.of(REFRESH, "noon"));
    assertThat(ImageReport.isRefreshRequested(image)).as("it was done").isFalse();
  }

  @Test
  void virtualMachineWithTwoDisksOfAnImageIsOne() {
    Use use = new Use("a", "uid-1", Optional.empty(), Optional.empty(), Optional.empty());
    Use other = new Use("a", "uid-2", Optional.of("n1"), Optional.empty(), Optional.empty());
    assertThat(
            ImageReport.of(
                    image,
                    HostPathRoots.NONE,
                    FOUND,
                    List.of(),
                    List.of(use, use, other),
                    List.of(),
                    NOW)
                .virtualMachines())
        .isEqualTo(2);
  }

  private VirtualMachineImageStatus report(Resolution resolution, Instant now) {
    return ImageReport.of(
        image, HostPathRoots.NONE, resolution, List.of(), List.of(), List.of(), now);
  }
}
