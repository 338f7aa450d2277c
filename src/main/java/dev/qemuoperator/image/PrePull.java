package dev.qemuoperator.image;

import dev.qemuoperator.api.ImageConditions.PrePulled;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageStatus.Node;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.pod.ImageFetch;
import dev.qemuoperator.pod.ImageOrigin;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodSettings;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Taint;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The pods that fetch an image ahead of time: which there shall be, and what those that there are
 * tell.
 *
 * @param wanted by node, its pod; empty while it is not known what to fetch
 * @param present the pods of this image that there are, by name
 */
record PrePull(SortedMap<String, Pod> wanted, Map<String, Pod> present) {

  /** Pods that fetch at the same time, for the sake of the network and of whoever serves it. */
  private static final int AT_ONCE = 8;

  static final String PRESENT = "Present";
  static final String FETCHING = "Fetching";
  static final String PENDING = "Pending";
  static final String FAILED = "Failed";

  static PrePull of(
      VirtualMachineImage image,
      Resolution resolution,
      HostPathRoots roots,
      Collection<io.fabric8.kubernetes.api.model.Node> nodes,
      Collection<Pod> pods,
      SortedSet<String> keptBases,
      String namespace,
      PodSettings settings) {
    SortedMap<String, Pod> wanted = new TreeMap<>();
    VirtualMachineImageSpec spec = image.getSpec();
    Optional<ImageOrigin> origin =
        resolution
            .source()
            .filter(source -> spec.prePull() != null)
            .flatMap(source -> ImageOrigin.of(spec, roots, source, resolution.digest().orElse("")));
    if (origin.isPresent()) {
      ImageFetch fetch = new ImageFetch(settings, Map.of(PrePullPod.DISK, origin.get()), keptBases);
      nodes.stream()
          .filter(node -> hasLabels(node, spec.prePull().nodeSelector()))
          .filter(node -> hasLabels(node, fetch.nodeSelector()) && takesPods(node))
          .map(node -> node.getMetadata().getName())
          .forEach(node -> wanted.put(node, PrePullPod.build(image, fetch, node, namespace)));
    }
    return new PrePull(wanted, pods.stream().collect(Collectors.toMap(PrePull::name, pod -> pod)));
  }

  /**
   * @param wanted null: none
   */
  private static boolean hasLabels(
      io.fabric8.kubernetes.api.model.Node node, Map<String, String> wanted) {
    Map<String, String> labels =
        Objects.requireNonNullElse(node.getMetadata().getLabels(), Map.of());
    return wanted == null || labels.entrySet().containsAll(wanted.entrySet());
  }

  /** A node that does not answer has a taint, too. */
  private static boolean takesPods(io.fabric8.kubernetes.api.model.Node node) {
    return !Boolean.TRUE.equals(node.getSpec().getUnschedulable())
        && node.getSpec().getTaints().stream()
            .map(Taint::getEffect)
            .noneMatch(effect -> List.of("NoSchedule", "NoExecute").contains(effect));
  }

  /** Those to be made now. */
  List<Pod> missing() {
    long busy =
        present.values().stream()
            .map(PodFacts::new)
            .filter(pod -> !pod.isOver() && problem(pod).isEmpty())
            .count();
    return wanted.values().stream()
        .filter(pod -> !present.containsKey(name(pod)))
        .limit(Math.max(0, AT_ONCE - busy))
        .toList();
  }

  /** Those that fetch what is not wanted any more, and those that the node has given up. */
  List<Pod> surplus() {
    List<String> names = wanted.values().stream().map(PrePull::name).toList();
    return present.values().stream()
        .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
        .filter(pod -> !names.contains(name(pod)) || isLost(new PodFacts(pod)))
        .toList();
  }

  private static boolean isLost(PodFacts pod) {
    return pod.isOver() && !pod.hasSucceeded();
  }

  /**
   * What the wanted nodes have, by name.
   *
   * @param progress of pods, by name
   * @param refused what the API server said to pods that could not be made, by name
   */
  Map<String, Node> nodes(Map<String, String> progress, Map<String, String> refused) {
    Map<String, Node> nodes = new LinkedHashMap<>();
    wanted.forEach(
        (node, pod) ->
            nodes.put(
                node,
                refused.containsKey(name(pod))
                    ? new Node(node, FAILED, null, refused.get(name(pod)), null)
                    : node(node, present.get(name(pod)), progress.get(name(pod)))));
    return nodes;
  }

  private static Node node(String name, Pod pod, String progress) {
    if (pod == null) {
      return new Node(name, PENDING, null, null, null);
    }
    PodFacts facts = new PodFacts(pod);
    if (facts.hasSucceeded()) {
      return new Node(name, PRESENT, null, null, source(facts).orElse(null));
    }
    return problem(facts)
        .map(problem -> new Node(name, FAILED, null, problem, null))
        .orElseGet(() -> new Node(name, FETCHING, progress, null, null));
  }

  private static Optional<String> source(PodFacts pod) {
    return pod.fetched(PrePullPod.DISK)
        .flatMap(end -> EventLog.parse(end.getMessage()).baseImageSource());
  }

  private static Optional<String> problem(PodFacts pod) {
    return pod.runnerPullProblem()
        .map(
            waiting ->
                "%s: %s. Check the chart's value runner.image."
                    .formatted(waiting.getReason(), waiting.getMessage()))
        .or(() -> pod.fetchProblem().map(PrePull::words));
  }

  private static String words(PodFacts.FetchProblem problem) {
    return problem.reason().isEmpty()
        ? EventLog.parse(problem.message())
            .wrapperFailure()
            .map(failure -> failure.reason() + ": " + failure.message())
            .orElse("The fetch ended without a word; see the log of its pod.")
        : problem.reason() + ": " + problem.message();
  }

  /** Digests of what pods have fetched, as the cache names them. */
  Stream<String> fetched() {
    return present.values().stream()
        .map(PodFacts::new)
        .flatMap(pod -> pod.fetched(PrePullPod.DISK).stream())
        .flatMap(end -> EventLog.parse(end.getMessage()).baseImageDigest().stream());
  }

  static Verdict verdict(VirtualMachineImage image, Resolution resolution, Collection<Node> nodes) {
    VirtualMachineImageSpec.PrePull prePull = image.getSpec().prePull();
    if (prePull == null) {
      return Verdict.yes(PrePulled.NOT_REQUESTED, "There is no spec.prePull.");
    }
    if (resolution.source().isEmpty()) {
      return Verdict.no(PrePulled.NOT_RESOLVED, "No source serves it yet, see Ready.");
    }
    if (nodes.isEmpty()) {
      return Verdict.no(
          PrePulled.NO_NODES,
          "No node that is neither cordoned nor tainted has the labels %s."
              .formatted(Objects.requireNonNullElse(prePull.nodeSelector(), Map.of())));
    }
    long have = nodes.stream().filter(node -> node.state().equals(PRESENT)).count();
    String count = "%d of %d nodes have it.".formatted(have, nodes.size());
    return nodes.stream()
        .filter(node -> node.state().equals(FAILED))
        .findFirst()
        .map(
            node ->
                Verdict.no(
                    PrePulled.FETCH_FAILED,
                    "%s Node %s: %s It is tried again."
                        .formatted(count, node.name(), sentence(node.message()))))
        .orElseGet(
            () ->
                have == nodes.size()
                    ? Verdict.yes(PrePulled.PRESENT, count)
                    : Verdict.no(PrePulled.FETCHING, count));
  }

  private static String sentence(String message) {
    return message.endsWith(".") ? message : message + ".";
  }

  private static String name(Pod pod) {
    return pod.getMetadata().getName();
  }
}
