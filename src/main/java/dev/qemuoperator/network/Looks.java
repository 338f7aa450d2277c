package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeNetworkSpec;
import dev.qemuoperator.api.BridgeNetworkStatus;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.qmp.EventLog.Bridge;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeSystemInfo;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which nodes have the bridge of a LAN: what the pods tell that have looked, and which have to
 * look.
 *
 * @param nodes each with what is known of it
 * @param surplus pods that nothing is to be learnt from any more
 */
record Looks(List<OnNode> nodes, List<Pod> surplus) {

  /** How long the answer counts that a node cannot be used. */
  static final Duration AGAIN = Duration.ofMinutes(5);

  /** The same, while no node can: somebody may be at it. */
  static final Duration SOON = Duration.ofSeconds(30);

  /** Pods that look at the same time. */
  private static final int AT_ONCE = 8;

  /** What QEMU's image runs on. */
  private static final String LINUX = "linux";

  private static final String AMD64 = "amd64";

  /**
   * A node.
   *
   * @param told the last answer
   * @param due when there is something to do again: that counts no more, or the pod is late
   * @param looking the pod that is to tell; empty if none is needed
   * @param made whether that is there already
   * @param late whether it should have told by now
   * @param silent whether the node does not report to Kubernetes
   */
  private record OnNode(
      String name,
      Optional<Bridge> told,
      Optional<Instant> due,
      Optional<Pod> looking,
      boolean made,
      boolean late,
      boolean silent) {}

  /**
   * @param present pods of this LAN that have looked or look
   * @param contradicted when a VM's pod last could not use the bridge of a node, by node
   */
  static Looks of(
      LookPods pods,
      Collection<Node> nodes,
      Collection<Pod> present,
      Map<String, Instant> contradicted,
      Instant now) {
    BridgeNetworkSpec spec = pods.network().getSpec();
    List<Node> linux = nodes.stream().filter(Looks::runsPods).toList();
    Map<String, Pod> last =
        linux.stream()
            .flatMap(node -> last(pods, node, present).stream())
            .collect(Collectors.toMap(pod -> pod.getSpec().getNodeName(), pod -> pod));
    boolean anyUsable =
        last.values().stream().anyMatch(pod -> answer(pod).filter(usable(spec)).isPresent());
    Duration patience = anyUsable ? AGAIN : SOON;
    List<OnNode> looks =
        linux.stream()
            .map(
                node -> {
                  String name = node.getMetadata().getName();
                  Optional<Pod> answered = Optional.ofNullable(last.get(name));
                  Optional<Instant> due =
                      answered.flatMap(
                          pod -> due(pods, node, pod, contradicted.get(name), patience, now));
                  return onNode(pods, node, present, answered, due, now);
                })
            .sorted(Comparator.comparing(OnNode::name))
            .toList();
    Set<String> needed =
        Stream.concat(
                looks.stream().flatMap(node -> node.looking().stream()), last.values().stream())
            .filter(pod -> !isLost(pod) || now.isBefore(patienceEnds(pod)))
            .map(Looks::name)
            .collect(Collectors.toSet());
    return new Looks(
        looks,
        present.stream()
            .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
            .filter(pod -> !needed.contains(name(pod)))
            .toList());
  }

  /**
   * When an answer counts no more; empty: not as long as nothing contradicts it.
   *
   * @param contradicted null: it was not
   */
  private static Optional<Instant> due(
      LookPods pods,
      Node node,
      Pod answered,
      Instant contradicted,
      Duration patience,
      Instant now) {
    if (pods.isOvertaken(node, answered)) {
      return Optional.of(now);
    }
    if (contradicted != null && contradicted.isAfter(end(answered))) {
      return Optional.of(contradicted);
    }
    return answer(answered)
        .filter(usable(pods.network().getSpec()).negate())
        .map(no -> end(answered).plus(patience));
  }

  private static OnNode onNode(
      LookPods pods,
      Node node,
      Collection<Pod> present,
      Optional<Pod> answered,
      Optional<Instant> due,
      Instant now) {
    boolean enough = answered.isPresent() && due.filter(at -> !at.isAfter(now)).isEmpty();
    Optional<Pod> wanted =
        Optional.of(pods.build(node, answered)).filter(pod -> !enough && !isSilent(node));
    Optional<Pod> there =
        wanted.flatMap(
            pod -> present.stream().filter(one -> name(one).equals(name(pod))).findFirst());
    return new OnNode(
        node.getMetadata().getName(),
        answered.flatMap(Looks::answer),
        due.filter(at -> enough).or(() -> there.map(Looks::patienceEnds).filter(now::isBefore)),
        there.or(() -> wanted),
        there.isPresent(),
        there.filter(pod -> !now.isBefore(patienceEnds(pod))).isPresent(),
        isSilent(node));
  }

  /** Also of one that its node refuses at once: it is not made anew without a pause. */
  private static Instant patienceEnds(Pod pod) {
    return Optional.ofNullable(pod.getMetadata().getCreationTimestamp())
        .map(Instant::parse)
        .map(made -> made.plus(SOON))
        .orElse(Instant.MAX);
  }

  /** What of a node matters. */
  static List<Object> facts(Node node) {
    return List.of(
        node.getMetadata().getUid(),
        runsPods(node),
        isSilent(node),
        Optional.ofNullable(node.getStatus())
            .flatMap(status -> Optional.ofNullable(status.getNodeInfo()))
            .map(NodeSystemInfo::getBootID));
  }

  private static boolean runsPods(Node node) {
    Map<String, String> labels =
        Optional.ofNullable(node.getMetadata().getLabels()).orElse(Map.of());
    return labels.getOrDefault("kubernetes.io/os", LINUX).equals(LINUX)
        && labels.getOrDefault("kubernetes.io/arch", AMD64).equals(AMD64);
  }

  private static boolean isSilent(Node node) {
    return Optional.ofNullable(node.getStatus()).stream()
        .flatMap(status -> status.getConditions().stream())
        .noneMatch(is -> is.getType().equals("Ready") && is.getStatus().equals("True"));
  }

  /** The one that has told last what is asked. */
  private static Optional<Pod> last(LookPods pods, Node node, Collection<Pod> present) {
    return present.stream()
        .filter(pod -> pods.isAbout(node, pod) && answer(pod).isPresent())
        .max(Comparator.comparing(Looks::end));
  }

  private static Optional<Bridge> answer(Pod pod) {
    return ended(pod).flatMap(end -> EventLog.parse(end.getMessage()).bridge());
  }

  private static Instant end(Pod pod) {
    return Instant.parse(ended(pod).orElseThrow().getFinishedAt());
  }

  private static Optional<ContainerStateTerminated> ended(Pod pod) {
    return state(pod).map(ContainerState::getTerminated);
  }

  private static Optional<ContainerState> state(Pod pod) {
    return Optional.ofNullable(pod.getStatus()).stream()
        .flatMap(status -> status.getContainerStatuses().stream())
        .flatMap(container -> Stream.ofNullable(container.getState()))
        .findFirst();
  }

  /** Given up by its node, without an answer. */
  private static boolean isLost(Pod pod) {
    return new PodFacts(pod).isOver() && answer(pod).isEmpty();
  }

  private static String name(Pod pod) {
    return pod.getMetadata().getName();
  }

  private static Predicate<Bridge> usable(BridgeNetworkSpec spec) {
    return bridge -> Lacks.of(spec, bridge).isEmpty();
  }

  /** Those to be made now. */
  List<Pod> missing() {
    long busy = nodes.stream().filter(node -> node.made() && !node.late()).count();
    return nodes.stream()
        .filter(node -> !node.made())
        .flatMap(node -> node.looking().stream())
        .limit(Math.max(0, AT_ONCE - busy))
        .toList();
  }

  /** When there is something to look for again, if nothing happens before. */
  Optional<Instant> next() {
    return nodes.stream().flatMap(node -> node.due().stream()).min(Comparator.naturalOrder());
  }

  /**
   * What is told of each node; one that is looked at again is as it was.
   *
   * @param refused what the API server said to pods that could not be made, by name
   */
  List<BridgeNetworkStatus.Node> told(BridgeNetworkSpec spec, Map<String, String> refused) {
    return nodes.stream()
        .map(
            node ->
                node.told()
                    .map(bridge -> Lacks.of(spec, bridge))
                    .orElseGet(() -> Optional.of(unknown(node, refused)))
                    .map(lack -> told(node.name(), lack.state(), lack.message()))
                    .orElseGet(() -> told(node.name(), BridgeNetworkStatus.READY, null)))
        .toList();
  }

  private static BridgeNetworkStatus.Node told(String name, String state, String message) {
    return new BridgeNetworkStatus.Node(name, state, message);
  }

  private static Lacks unknown(OnNode node, Map<String, String> refused) {
    if (node.silent()) {
      return new Lacks(Lacks.LOOK_FAILED, "It does not report to Kubernetes.");
    }
    Pod pod = node.looking().orElseThrow();
    return Optional.ofNullable(refused.get(name(pod)))
        .or(() -> Optional.of(pod).filter(Looks::isLost).map(Looks::wordsOfTheNode))
        .or(() -> Optional.of(pod).filter(one -> node.late()).map(Looks::late))
        .map(problem -> new Lacks(Lacks.LOOK_FAILED, problem))
        .orElseGet(() -> new Lacks(BridgeNetworkStatus.LOOKING, null));
  }

  private static String wordsOfTheNode(Pod pod) {
    return "It has refused the pod that is to look: %s.".formatted(new PodFacts(pod).overBecause());
  }

  /** The same words each time that it is tried again. */
  private static String late(Pod pod) {
    return "The pod that is to look has not done so: see kubectl describe pod -n %s %s. If its image cannot be pulled, check the chart's value runner.image."
        .formatted(pod.getMetadata().getNamespace(), name(pod));
  }
}
