package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.qemuoperator.api.Disk.ContainerImage;
import dev.qemuoperator.api.HostPathRootSpec;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageSpec.HostPath;
import dev.qemuoperator.api.VirtualMachineImageSpec.Http;
import dev.qemuoperator.api.VirtualMachineImageSpec.Source;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.pod.PodSettings;
import dev.qemuoperator.pod.PodSettings.CacheLimits;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PrePullTest {

  private static final String URL = "https://images.example/a.qcow2";
  private static final String SUM = "sha256:" + "0a".repeat(32);
  private static final Resolution FOUND = Resolution.found(URL, Optional.of(SUM));
  private static final PodSettings SETTINGS =
      new PodSettings("runner:1", "/var/cache", CacheLimits.NONE, "local");

  private final VirtualMachineImage image = new VirtualMachineImage();
  private final List<Node> nodes =
      new ArrayList<>(List.of(node("n1", "ssd"), node("n2", "hdd"), node("n3", "ssd")));
  private final List<Pod> pods = new ArrayList<>();
  private HostPathRoots roots = HostPathRoots.NONE;

  PrePullTest() {
    image.getMetadata().setName("debian-13.2");
    image.getMetadata().setUid("uid");
    nodesWith(Map.of("disk", "ssd"));
  }

  @Test
  void nodesOfTheSelectorGetAPodEach() {
    PrePull prePull = prePull(FOUND);
    assertThat(prePull.missing())
        .extracting(pod -> pod.getSpec().getNodeName())
        .containsExactly("n1", "n3");
    assertThat(states(prePull)).containsExactly("n1 Pending null", "n3 Pending null");
    assertThat(verdict(prePull).message()).isEqualTo("0 of 2 nodes have it.");
  }

  @Test
  void noSelectorMeansEveryNode() {
    nodesWith(null);
    assertThat(prePull(FOUND).missing()).hasSize(3);
  }

  @Test
  void nodesThatTakeNoPodsAreLeftAlone() {
    nodes.set(0, nodes.get(0).edit().editSpec().withUnschedulable(true).endSpec().build());
    nodes.set(2, tainted(nodes.get(2), "NoExecute"));
    PrePull none = prePull(FOUND);
    assertThat(none.missing()).isEmpty();
    assertThat(verdict(none).reason()).isEqualTo("NoNodes");
    assertThat(verdict(none).message()).contains("disk=ssd");

    nodes.set(2, tainted(node("n3", "ssd"), "PreferNoSchedule"));
    assertThat(prePull(FOUND).missing()).hasSize(1);
  }

  @Test
  void nothingIsFetchedUnlessItIsAskedForAndKnown() {
    assertThat(prePull(Resolution.NOT_LOOKED_UP).missing()).isEmpty();
    assertThat(PrePull.verdict(image, Resolution.NOT_LOOKED_UP, List.of()).reason())
        .isEqualTo("NotResolved");
    image.setSpec(new VirtualMachineImageSpec(List.of(), SUM, null, null, null));
    assertThat(prePull(FOUND).missing()).isEmpty();
    assertThat(PrePull.verdict(image, FOUND, List.of()).reason()).isEqualTo("NotRequested");
    assertThat(PrePull.verdict(image, FOUND, List.of()).isTrue()).isTrue();
  }

  @Test
  void podIsOfOneNodeAndOneDigest() {
    Pod pod = prePull(FOUND).missing().getFirst();
    assertThat(pod.getMetadata().getName()).matches("debian-13-2-[0-9a-f]{16}");
    assertThat(pod.getMetadata().getOwnerReferences().getFirst().getUid()).isEqualTo("uid");
    assertThat(pod.getSpec().getInitContainers().getFirst().getCommand())
        .containsExactly("/usr/lib/qemu-operator/download", "prepull", SUM, URL);
    assertThat(pod.getSpec().getAutomountServiceAccountToken()).isFalse();
    assertThat(pod.getSpec().getInitContainers().getFirst().getEnv())
        .as("what it must not remove to make room")
        .contains(new EnvVar("KEEP", SUM, null));

    pods.add(pod);
    PrePull refreshed = prePull(Resolution.found(URL, Optional.of("sha256:" + "0b".repeat(32))));
    assertThat(refreshed.missing()).hasSize(2).doesNotContain(pod);
    assertThat(refreshed.surplus()).containsExactly(pod);
  }

  @Test
  void containerImageIsReadByTheRunnersTools() {
    Pod pod = prePull(Resolution.found("registry.example/a:1", Optional.empty())).missing().get(0);
    assertThat(pod.getSpec().getInitContainers())
        .extracting(init -> init.getName() + " " + init.getImage())
        .containsExactly("tools runner:1", "image-prepull registry.example/a:1");
  }

  @Test
  void nodeHasItWhenItsPodHasSucceeded() {
    List<Pod> missing = prePull(FOUND).missing();
    pods.add(running(missing.get(0)));
    pods.add(succeeded(missing.get(1)));
    PrePull prePull = prePull(FOUND);
    assertThat(prePull.missing()).isEmpty();
    assertThat(prePull.surplus()).isEmpty();
    assertThat(prePull.fetched()).containsExactly(SUM);
    assertThat(
            prePull
                .nodes(
                    Map.of(missing.get(0).getMetadata().getName(), "40 %, 20480 KiB/s"), Map.of())
                .values())
        .extracting(VirtualMachineImageStatus.Node::state, VirtualMachineImageStatus.Node::progress)
        .containsExactly(tuple("Fetching", "40 %, 20480 KiB/s"), tuple("Present", null));
    assertThat(verdict(prePull)).isEqualTo(Verdict.no("Fetching", "1 of 2 nodes have it."));

    pods.set(0, succeeded(missing.get(0)));
    assertThat(verdict(prePull(FOUND))).isEqualTo(Verdict.yes("Present", "2 of 2 nodes have it."));
  }

  @Test
  void failureOfANodeIsTold() {
    List<Pod> missing = prePull(FOUND).missing();
    pods.add(
        ended(
            missing.get(0),
            "Pending",
            1,
            "{\"event\":\"WRAPPER_FAILED\",\"data\":{\"reason\":\"CacheFull\",\"disk\":\"prepull\","
                + "\"message\":\"the node's cache has no room\"}}"));
    pods.add(succeeded(missing.get(1)));
    PrePull prePull = prePull(FOUND);
    assertThat(states(prePull))
        .containsExactly("n1 Failed CacheFull: the node's cache has no room", "n3 Present null");
    assertThat(verdict(prePull))
        .isEqualTo(
            Verdict.no(
                "FetchFailed",
                "1 of 2 nodes have it. Node n1: CacheFull: the node's cache has no room. It is tried"
                    + " again."));
  }

  @Test
  void podThatTheApiServerRefusesIsTold() {
    PrePull prePull = prePull(FOUND);
    String name = prePull.missing().getFirst().getMetadata().getName();
    assertThat(prePull.nodes(Map.of(), Map.of(name, "violates PodSecurity")).values())
        .first()
        .isEqualTo(
            new VirtualMachineImageStatus.Node("n1", "Failed", null, "violates PodSecurity", null));
  }

  @Test
  void podThatItsNodeHasGivenUpIsMadeAnew() {
    Pod pod = prePull(FOUND).missing().getFirst();
    pods.add(ended(pod, "Failed", 137, ""));
    assertThat(prePull(FOUND).surplus()).hasSize(1);
    pods.set(
        0,
        pods.getFirst().edit().editMetadata().withDeletionTimestamp("now").endMetadata().build());
    assertThat(prePull(FOUND).surplus()).as("it is being deleted").isEmpty();
  }

  @Test
  void fewNodesFetchAtTheSameTime() {
    nodesWith(null);
    nodes.clear();
    IntStream.range(0, 20).forEach(i -> nodes.add(node("n%02d".formatted(i), "ssd")));
    List<Pod> first = prePull(FOUND).missing();
    assertThat(first).hasSize(8);
    first.forEach(pod -> pods.add(running(pod)));
    assertThat(prePull(FOUND).missing()).isEmpty();
    pods.set(0, succeeded(first.get(0)));
    pods.set(1, ended(first.get(1), "Pending", 1, ""));
    assertThat(prePull(FOUND).missing()).as("one is done, one waits for its next try").hasSize(2);
  }

  @Test
  void fileOfTheNodesIsReadOnNodesThatHaveItsDirectory() {
    image.setSpec(
        new VirtualMachineImageSpec(
            List.of(new Source(new HostPath("lab", "a.qcow2"), null, null)),
            SUM,
            null,
            null,
            new VirtualMachineImageSpec.PrePull(null)));
    roots = root(Map.of("disk", "hdd"));
    PrePull prePull = prePull(Resolution.found("HostPathRoot/lab:a.qcow2", Optional.of(SUM)));
    assertThat(prePull.missing())
        .extracting(pod -> pod.getSpec().getNodeName())
        .containsExactly("n2");
    Pod pod = prePull.missing().getFirst();
    assertThat(pod.getSpec().getInitContainers().getFirst().getCommand())
        .containsExactly(
            "/usr/lib/qemu-operator/download", "prepull", SUM, "HostPathRoot/lab:a.qcow2");
    assertThat(pod.getSpec().getVolumes())
        .extracting(volume -> volume.getHostPath() == null ? "" : volume.getHostPath().getPath())
        .contains("/srv/images");

    pods.add(
        ended(
            pod,
            "Succeeded",
            0,
            "{\"event\":\"BASE_IMAGE\",\"data\":{\"source\":\"HostPathRoot/lab:a.qcow2\"}}"));
    assertThat(
            prePull(Resolution.found("HostPathRoot/lab:a.qcow2", Optional.of(SUM)))
                .nodes(Map.of(), Map.of())
                .values())
        .extracting(VirtualMachineImageStatus.Node::source)
        .as("which source served it there")
        .containsExactly("HostPathRoot/lab:a.qcow2");
  }

  @Test
  void nodesWithoutTheDirectoryTakeTheNextSource() {
    image.setSpec(
        new VirtualMachineImageSpec(
            List.of(
                new Source(new HostPath("lab", "a.qcow2"), null, null),
                new Source(null, new Http(URL, null), null)),
            SUM,
            null,
            null,
            new VirtualMachineImageSpec.PrePull(null)));
    roots = root(Map.of("disk", "hdd"));
    assertThat(prePull(Resolution.found("HostPathRoot/lab:a.qcow2", Optional.of(SUM))).missing())
        .hasSize(3);
  }

  private static HostPathRoots root(Map<String, String> nodeSelector) {
    return new HostPathRoots(
        Map.of(
            "lab",
            new HostPathRoots.Root(new HostPathRootSpec("/srv/images", nodeSelector), false)));
  }

  private PrePull prePull(Resolution resolution) {
    return PrePull.of(
        image, resolution, roots, nodes, pods, new TreeSet<>(List.of(SUM)), "operator", SETTINGS);
  }

  private Verdict verdict(PrePull prePull) {
    return PrePull.verdict(image, FOUND, prePull.nodes(Map.of(), Map.of()).values());
  }

  private static List<String> states(PrePull prePull) {
    return prePull.nodes(Map.of(), Map.of()).values().stream()
        .map(node -> node.name() + " " + node.state() + " " + node.message())
        .toList();
  }

  private void nodesWith(Map<String, String> labels) {
    image.setSpec(
        new VirtualMachineImageSpec(
            List.of(
                new Source(null, new Http(URL, null), null),
                new Source(null, null, new ContainerImage("registry.example/a:1"))),
            SUM,
            null,
            null,
            new VirtualMachineImageSpec.PrePull(labels)));
  }

  private static Node node(String name, String disk) {
    return new NodeBuilder()
        .withNewMetadata()
        .withName(name)
        .withLabels(Map.of("disk", disk, "kubernetes.io/hostname", name))
        .endMetadata()
        .withNewSpec()
        .endSpec()
        .build();
  }

  private static Node tainted(Node node, String effect) {
    return node.edit().editSpec().addNewTaint(effect, "key", null, "value").endSpec().build();
  }

  private static Pod running(Pod pod) {
    return with(pod, "Pending", new ContainerStateBuilder().withNewRunning().endRunning().build());
  }

  private static Pod succeeded(Pod pod) {
    return ended(
        pod,
        "Succeeded",
        0,
        "{\"event\":\"BASE_IMAGE\",\"data\":{\"disk\":\"prepull\",\"digest\":\"%s\"}}"
            .formatted(SUM));
  }

  private static Pod ended(Pod pod, String phase, int code, String message) {
    return with(
        pod,
        phase,
        new ContainerStateBuilder()
            .withNewTerminated()
            .withExitCode(code)
            .withMessage(message)
            .endTerminated()
            .build());
  }

  private static Pod with(Pod pod, String phase, ContainerState state) {
    return new PodBuilder(pod)
        .withNewStatus()
        .withPhase(phase)
        .addNewInitContainerStatus()
        .withName("image-prepull")
        .withState(state)
        .endInitContainerStatus()
        .endStatus()
        .build();
  }
}
