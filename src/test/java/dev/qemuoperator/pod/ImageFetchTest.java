package dev.qemuoperator.pod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.pod.FilePlace.OnClaim;
import dev.qemuoperator.pod.FilePlace.OnNode;
import dev.qemuoperator.pod.FilePlace.Url;
import dev.qemuoperator.pod.PodSettings.CacheLimits;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ImageFetchTest {

  private static final String SUM = "sha256:" + "0a".repeat(32);
  private static final Url URL = new Url("https://images.example/a.qcow2");

  @Test
  void directoryThatTwoDisksReadIsMountedOnceAndByThoseAlone() {
    ImageFetch fetch =
        fetch(
            Map.of(
                "a", file(onNode("/srv/a", Map.of())),
                "b", file(new OnNode("lab", "/srv/a", Map.of(), "other.qcow2"), URL),
                "c", file(new OnClaim("lab", "c.qcow2")),
                "d", file(URL)));
    assertThat(fetch.sources()).extracting(Volume::getName).containsExactly("source-0", "source-1");
    assertThat(fetch.containers())
        .extracting(
            container ->
                container.getVolumeMounts().stream()
                    .filter(mount -> mount.getMountPath().startsWith("/sources/"))
                    .map(VolumeMount::getMountPath)
                    .toList())
        .containsExactly(
            List.of("/sources/HostPathRoot/lab"),
            List.of("/sources/HostPathRoot/lab"),
            List.of("/sources/PersistentVolumeClaim/lab"),
            List.of());
    assertThat(fetch.containers())
        .flatExtracting(container -> container.getVolumeMounts())
        .filteredOn(mount -> mount.getMountPath().startsWith("/sources/"))
        .allMatch(VolumeMount::getReadOnly);
  }

  @Test
  void nodesAreChosenOnlyWhereNoOtherPlaceWouldDo() {
    Map<String, String> labels = Map.of("disk", "nas");
    assertThat(fetch(Map.of("a", file(onNode("/srv/a", labels)))).nodeSelector()).isEqualTo(labels);
    OnNode other = new OnNode("lab", "/srv/a", labels, "b.qcow2");
    assertThat(fetch(Map.of("a", file(onNode("/srv/a", labels), other))).nodeSelector())
        .as("of two files in the same directory")
        .isEqualTo(labels);
    assertThat(fetch(Map.of("a", file(onNode("/srv/a", labels), URL))).nodeSelector()).isEmpty();
    assertThat(fetch(Map.of("a", file(URL))).nodeSelector()).isEmpty();
  }

  /** So that a pod that still waits for its image is made anew when its root is corrected. */
  @Test
  void hashTellsAnotherDirectoryAndOtherNodes() {
    String hash = fetch(Map.of("a", file(onNode("/srv/a", Map.of())))).hash();
    assertThat(fetch(Map.of("a", file(onNode("/srv/a", Map.of())))).hash()).isEqualTo(hash);
    assertThat(fetch(Map.of("a", file(onNode("/srv/b", Map.of())))).hash()).isNotEqualTo(hash);
    assertThat(fetch(Map.of("a", file(onNode("/srv/a", Map.of("disk", "nas"))))).hash())
        .isNotEqualTo(hash);
  }

  private static OnNode onNode(String nodePath, Map<String, String> labels) {
    return new OnNode("lab", nodePath, labels, "a.qcow2");
  }

  private static ImageOrigin file(FilePlace... places) {
    return new ImageOrigin.File(List.of(places), SUM, "");
  }

  private static ImageFetch fetch(Map<String, ImageOrigin> origins) {
    return new ImageFetch(
        new PodSettings("runner:1", "/var/cache", CacheLimits.NONE, "/var/disks"),
        origins,
        new TreeSet<>());
  }
}
