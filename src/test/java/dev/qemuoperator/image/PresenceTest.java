package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineImageStatus.Node;
import dev.qemuoperator.image.Users.Use;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What VMs tell of nodes, beside the pods that fetch ahead of them. */
class PresenceTest {

  private static final String SUM = "sha256:" + "0a".repeat(32);
  private static final String OTHER = "sha256:" + "0b".repeat(32);
  private static final PrePull NONE = new PrePull(new TreeMap<>(), Map.of());
  private static final Resolution PINNED = Resolution.found("https://a", Optional.of(SUM));

  @Test
  void nodeOfAVmThatRunsFromItHasIt() {
    assertThat(nodes(PINNED, Map.of(), runs("n1", SUM)))
        .containsExactly(new Node("n1", "Present", null, null, null));
  }

  @Test
  void diskOfAnotherDigestTellsNothing() {
    assertThat(nodes(PINNED, Map.of(), runs("n1", OTHER))).isEmpty();
  }

  @Test
  void withoutAPinEachDigestIsTheImage() {
    assertThat(
            nodes(
                Resolution.found("registry.example/a:1", Optional.empty()),
                Map.of(),
                runs("n1", OTHER)))
        .hasSize(1);
  }

  @Test
  void imageThatComesWithAVmShowsHowFarItIs() {
    Use fetches =
        new Use("a", "uid", Optional.of("n1"), Optional.empty(), Optional.of("40 %, 512 KiB/s"));
    assertThat(nodes(PINNED, Map.of(), fetches))
        .containsExactly(new Node("n1", "Fetching", "40 %, 512 KiB/s", null, null));
    assertThat(nodes(PINNED, Map.of(), fetches, runs("n1", SUM)))
        .containsExactly(new Node("n1", "Present", null, null, null));
  }

  @Test
  void vmThatHasNoNodeYetTellsNothing() {
    assertThat(
            nodes(
                PINNED,
                Map.of(),
                new Use("a", "uid", Optional.empty(), Optional.of(SUM), Optional.empty())))
        .isEmpty();
  }

  @Test
  void whatAPodSaysIsNotHiddenByAVmThatWaits() {
    Node failed = new Node("n1", "Failed", null, "no room", null);
    Use fetches = new Use("a", "uid", Optional.of("n1"), Optional.empty(), Optional.of("40 %"));
    assertThat(nodes(PINNED, Map.of("n1", failed), fetches)).containsExactly(failed);
    assertThat(nodes(PINNED, Map.of("n1", failed), runs("n1", SUM)))
        .as("a VM has it")
        .containsExactly(new Node("n1", "Present", null, null, null));
  }

  private static Use runs(String node, String digest) {
    return new Use("a", "uid", Optional.of(node), Optional.of(digest), Optional.empty());
  }

  private static List<Node> nodes(Resolution resolution, Map<String, Node> prePulled, Use... uses) {
    return Presence.of(resolution, NONE, prePulled, List.of(uses));
  }
}
