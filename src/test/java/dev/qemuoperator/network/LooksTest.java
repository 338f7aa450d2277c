package dev.qemuoperator.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkSpec;
import dev.qemuoperator.api.BridgeNetworkStatus;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LooksTest {

  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final String HAS = "\"exists\":true,\"up\":true,\"mtu\":1500,\"wireless\":\"\"";
  private static final String LACKS = "\"exists\":false,\"others\":\"virbr0 docker0\"";

  private final BridgeNetwork network = new BridgeNetwork();
  private final List<Node> nodes = new ArrayList<>(List.of(node("n1"), node("n2")));
  private final List<Pod> pods = new ArrayList<>();
  private final Map<String, Instant> contradicted = new HashMap<>();

  LooksTest() {
    network.getMetadata().setName("home");
    network.getMetadata().setUid("uid");
    spec("br0", null);
  }

  private void spec(String bridge, Integer mtu) {
    network.setSpec(
        new BridgeNetworkSpec(bridge, "10.0.0.0/24", null, null, null, mtu, null, null, null));
  }

  private static Node node(String name) {
    return new NodeBuilder()
        .withNewMetadata()
        .withName(name)
        .withUid("uid-of-" + name)
        .endMetadata()
        .withNewStatus()
        .addNewCondition()
        .withType("Ready")
        .withStatus("True")
        .endCondition()
        .withNewNodeInfo()
        .withBootID("first")
        .endNodeInfo()
        .endStatus()
        .build();
  }

  private Looks looks(Instant now) {
    return Looks.of(new LookPods(network, "operators", "runner:1"), nodes, pods, contradicted, now);
  }

  /** What is told of the nodes. */
  private List<String> states(Instant now) {
    return looks(now).told(network.getSpec(), Map.of()).stream()
        .map(node -> node.name() + " " + node.state())
        .toList();
  }

  private BridgeNetworkStatus.Node told(String name) {
    return looks(NOW).told(network.getSpec(), Map.of()).stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** The pods that are missing are made, look, and end. */
  private void look(Instant end, Map<String, String> answers) {
    for (Pod pod : looks(end).missing()) {
      String answer = answers.getOrDefault(pod.getSpec().getNodeName(), LACKS);
      pods.add(ended(pod, end, "{\"event\":\"BRIDGE\",\"data\":{" + answer + "}}"));
    }
  }

  private static Pod ended(Pod pod, Instant at, String message) {
    // @formatter:off
    return pod.edit()
        .editMetadata().withUid("uid-of-" + pod.getMetadata().getName()).endMetadata()
        .withNewStatus()
          .withPhase("Succeeded")
          .addNewContainerStatus()
            .withNewState()
              .withNewTerminated()
                .withFinishedAt(at.toString())
                .withMessage(message)
              .endTerminated()
            .endState()
          .endContainerStatus()
        .endStatus()
        .build();
    // @formatter:on
  }

  private static Pod waiting(Pod pod, String reason, String message) {
    // @formatter:off
    return pod.edit()
        .withNewStatus()
          .withPhase("Pending")
          .addNewContainerStatus()
            .withNewState()
              .withNewWaiting(message, reason)
            .endState()
          .endContainerStatus()
        .endStatus()
        .build();
    // @formatter:on
  }

  @Test
  void eachNodeIsLookedAtOnce() {
    assertThat(states(NOW)).containsExactly("n1 Looking", "n2 Looking");
    List<Pod> missing = looks(NOW).missing();
    assertThat(missing).extracting(pod -> pod.getSpec().getNodeName()).containsExactly("n1", "n2");
    pods.add(waiting(missing.getFirst(), "ContainerCreating", null));
    assertThat(looks(NOW).missing()).containsExactly(missing.getLast());

    pods.clear();
    look(NOW, Map.of("n1", HAS));
    assertThat(states(NOW)).containsExactly("n1 Ready", "n2 BridgeMissing");
    assertThat(told("n2").message()).startsWith("It has no bridge br0, but virbr0, docker0. Make");
    assertThat(looks(NOW).missing()).isEmpty();
    assertThat(looks(NOW).surplus()).isEmpty();
  }

  @Test
  void nodeThatHasTheBridgeIsNotAskedAgainUntilItStartsAnew() {
    look(NOW, Map.of("n1", HAS, "n2", HAS));
    assertThat(looks(NOW).next()).isEmpty();
    assertThat(looks(NOW.plusSeconds(100_000)).missing()).isEmpty();

    nodes.set(
        0,
        nodes
            .getFirst()
            .edit()
            .editStatus()
            .editNodeInfo()
            .withBootID("second")
            .endNodeInfo()
            .endStatus()
            .build());
    assertThat(states(NOW)).as("until it has").containsExactly("n1 Ready", "n2 Ready");
    assertThat(looks(NOW).missing()).hasSize(1);
    assertThat(looks(NOW).surplus()).isEmpty();
  }

  @Test
  void nodeWithoutItIsAskedAgainAndIsTheSameUntilItHasAnswered() {
    look(NOW, Map.of());
    assertThat(looks(NOW).next()).contains(NOW.plus(Looks.SOON));
    Instant soon = NOW.plus(Looks.SOON);
    assertThat(looks(soon.minusSeconds(1)).missing()).isEmpty();
    assertThat(looks(soon).missing()).hasSize(2);
    assertThat(states(soon)).containsExactly("n1 BridgeMissing", "n2 BridgeMissing");

    look(soon, Map.of("n2", HAS));
    assertThat(states(soon)).containsExactly("n1 BridgeMissing", "n2 Ready");
    assertThat(looks(soon).surplus())
        .as("the answers before")
        .extracting(pod -> pod.getStatus().getContainerStatuses().getFirst())
        .extracting(container -> container.getState().getTerminated().getFinishedAt())
        .containsExactly(NOW.toString(), NOW.toString());
    pods.removeAll(looks(soon).surplus());
    assertThat(looks(soon).next()).as("one is enough").contains(soon.plus(Looks.AGAIN));
  }

  @Test
  void nodeIsAskedAgainWhenAVmCouldNotUseItsBridge() {
    look(NOW, Map.of("n1", HAS, "n2", HAS));
    contradicted.put("n1", NOW.minusSeconds(1));
    assertThat(looks(NOW).missing()).as("that was before").isEmpty();
    contradicted.put("n1", NOW.plusSeconds(10));
    assertThat(looks(NOW.plusSeconds(10)).missing()).hasSize(1);
    look(NOW.plusSeconds(12), Map.of());
    assertThat(states(NOW.plusSeconds(12))).containsExactly("n1 BridgeMissing", "n2 Ready");
  }

  @Test
  void nodesAreAskedAgainAtOnceOnRequest() {
    look(NOW, Map.of("n1", HAS));
    network.getMetadata().setAnnotations(Map.of("qemu-operator.dev/refresh-requested-at", "now"));
    assertThat(looks(NOW).missing()).hasSize(2);
    assertThat(states(NOW)).containsExactly("n1 Ready", "n2 BridgeMissing");
    look(NOW.plusSeconds(1), Map.of("n1", HAS, "n2", HAS));
    assertThat(states(NOW)).containsExactly("n1 Ready", "n2 Ready");
    assertThat(looks(NOW.plusSeconds(1)).missing()).isEmpty();
  }

  @Test
  void anotherBridgeIsAnotherQuestion() {
    look(NOW, Map.of("n1", HAS, "n2", HAS));
    spec("br1", null);
    assertThat(states(NOW)).containsExactly("n1 Looking", "n2 Looking");
    assertThat(looks(NOW).surplus()).hasSize(2);
  }

  @Test
  void bridgeThatCannotBeUsedIsTold() {
    spec("br0", 9000);
    look(
        NOW,
        Map.of("n1", HAS, "n2", "\"exists\":true,\"up\":false,\"mtu\":9000,\"wireless\":\"\""));
    assertThat(states(NOW)).containsExactly("n1 MTUMismatch", "n2 BridgeDown");
    assertThat(told("n1").message()).contains("br0 is 1500", "lower that to 1500");
    assertThat(told("n2").message()).contains("ip link set br0 up");
    spec("br0", 1400);
    assertThat(states(NOW)).as("no look is needed").containsExactly("n1 Ready", "n2 BridgeDown");
  }

  @Test
  void bridgeThatLeadsNowhereOnAWirelessNodeIsTold() {
    look(NOW, Map.of("n1", "\"exists\":true,\"up\":true,\"mtu\":1500,\"wireless\":\"wlan0\""));
    assertThat(states(NOW)).containsExactly("n1 WirelessUplink", "n2 BridgeMissing");
    assertThat(told("n1").message()).contains("wlan0, is wireless", "by cable");
  }

  @Test
  void podThatDoesNotStartIsToldOnceItIsLate() {
    pods.add(made(waiting(looks(NOW).missing().getFirst(), "ImagePullBackOff", "no such image")));
    assertThat(states(NOW)).containsExactly("n1 Looking", "n2 Looking");
    assertThat(looks(NOW).next()).contains(NOW.plus(Looks.SOON));
    Instant late = NOW.plus(Looks.SOON);
    assertThat(
            looks(late).told(network.getSpec(), Map.of()).stream()
                .map(BridgeNetworkStatus.Node::message)
                .findFirst()
                .orElseThrow())
        .contains("has not done so", "describe pod -n operators " + name(pods.getFirst()));
    assertThat(states(late)).containsExactly("n1 LookFailed", "n2 Looking");
    assertThat(looks(late).surplus()).isEmpty();
    assertThat(looks(late).next()).isEmpty();
  }

  private static String name(Pod pod) {
    return pod.getMetadata().getName();
  }

  private static Pod made(Pod pod) {
    return pod.edit().editMetadata().withCreationTimestamp(NOW.toString()).endMetadata().build();
  }

  @Test
  void podsThatDoNotStartKeepNoOtherNodeFromBeingLookedAt() {
    nodes.clear();
    IntStream.range(0, 10).forEach(i -> nodes.add(node("n" + i)));
    looks(NOW).missing().forEach(pod -> pods.add(made(waiting(pod, "ImagePullBackOff", "no"))));
    assertThat(pods).hasSize(8);
    assertThat(looks(NOW).missing()).isEmpty();
    assertThat(looks(NOW.plus(Looks.SOON)).missing()).hasSize(2);
  }

  @Test
  void whatTheApiServerRefusesIsTold() {
    String name = looks(NOW).missing().getFirst().getMetadata().getName();
    assertThat(looks(NOW).told(network.getSpec(), Map.of(name, "exceeded quota")))
        .first()
        .isEqualTo(new BridgeNetworkStatus.Node("n1", "LookFailed", "exceeded quota"));
  }

  @Test
  void podThatItsNodeRefusesIsMadeAnewAfterAPause() {
    Pod refused = made(ended(looks(NOW).missing().getFirst(), NOW, null));
    refused.getStatus().setPhase("Failed");
    refused.getStatus().setReason("OutOfpods");
    pods.add(refused);
    assertThat(looks(NOW).surplus()).isEmpty();
    assertThat(looks(NOW).missing())
        .extracting(pod -> pod.getSpec().getNodeName())
        .containsExactly("n2");
    assertThat(told("n1").state()).isEqualTo("LookFailed");
    assertThat(told("n1").message()).contains("refused", "OutOfpods");
    assertThat(looks(NOW).next()).contains(NOW.plus(Looks.SOON));
    assertThat(looks(NOW.plus(Looks.SOON)).surplus()).containsExactly(refused);
    pods.clear();
    assertThat(looks(NOW).missing()).hasSize(2);
  }

  @Test
  void silentNodeIsNotWaitedFor() {
    nodes.set(1, nodes.get(1).edit().editStatus().withConditions().endStatus().build());
    look(NOW, Map.of("n1", HAS));
    assertThat(states(NOW)).containsExactly("n1 Ready", "n2 LookFailed");
    assertThat(told("n2").message()).contains("does not report");
  }

  @Test
  void nodeThatCannotRunTheRunnerIsNone() {
    nodes.set(0, labelled(node("n1"), "kubernetes.io/os", "windows"));
    nodes.add(labelled(node("n3"), "kubernetes.io/arch", "arm64"));
    nodes.add(labelled(node("n4"), "kubernetes.io/arch", "amd64"));
    assertThat(states(NOW)).containsExactly("n2 Looking", "n4 Looking");
  }

  private static Node labelled(Node node, String label, String value) {
    return node.edit().editMetadata().addToLabels(label, value).endMetadata().build();
  }

  @Test
  void manyNodesAreLookedAtAFewAtATime() {
    nodes.clear();
    IntStream.range(0, 20).forEach(i -> nodes.add(node("n" + i)));
    List<Pod> first = looks(NOW).missing();
    assertThat(first).hasSize(8);
    first.stream().limit(5).forEach(pod -> pods.add(waiting(pod, "ContainerCreating", null)));
    assertThat(looks(NOW).missing()).hasSize(3);
  }

  @Test
  void nodesThatAreGoneLeaveNoPods() {
    look(NOW, Map.of("n1", HAS, "n2", HAS));
    nodes.removeLast();
    assertThat(looks(NOW).surplus()).hasSize(1);
  }

  @Test
  void podMayDoNothingButLook() {
    Pod pod = looks(NOW).missing().getFirst();
    assertThat(pod.getSpec().getContainers())
        .singleElement()
        .satisfies(
            look -> {
              assertThat(look.getCommand())
                  .containsExactly("/usr/lib/qemu-operator/find-bridge", "br0");
              assertThat(look.getSecurityContext().getCapabilities().getDrop())
                  .containsExactly("ALL");
              assertThat(look.getSecurityContext().getPrivileged()).isNull();
            });
    assertThat(pod.getSpec().getAutomountServiceAccountToken()).isFalse();
    assertThat(pod.getMetadata().getNamespace()).isEqualTo("operators");
  }
}
