package dev.qemuoperator.image;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.logs.PodLogs;
import dev.qemuoperator.nodes.NodePods;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodSettings;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;

/** The pods that fetch images to nodes. */
final class PrePullPods {

  private final NodePods<VirtualMachineImage> pods;
  private final PodSettings settings;
  private final PodLogs logs;

  PrePullPods(KubernetesClient client, String namespace, PodSettings settings) {
    this.pods = new NodePods<>(client, namespace, VirtualMachineImage.class, PrePullPod.LABELS);
    this.settings = settings;
    this.logs = new PodLogs(client);
  }

  List<EventSource<?, VirtualMachineImage>> watch(EventSourceContext<VirtualMachineImage> context) {
    return pods.watch(context, PrePullPods::choice, image -> image.getSpec().prePull() != null);
  }

  /** What decides whether a node fetches images. */
  private static List<Object> choice(Node node) {
    return List.of(
        Optional.ofNullable(node.getMetadata().getLabels()),
        Optional.ofNullable(node.getSpec().getUnschedulable()),
        node.getSpec().getTaints());
  }

  PrePull read(
      VirtualMachineImage image,
      Resolution resolution,
      HostPathRoots roots,
      SortedSet<String> keptBases) {
    return PrePull.of(
        image,
        resolution,
        roots,
        pods.nodes(),
        pods.of(image),
        keptBases,
        pods.namespace(),
        settings);
  }

  /**
   * @return what the API server said to pods that could not be made, by name
   */
  Map<String, String> apply(PrePull prePull) {
    return pods.apply(prePull.surplus(), prePull.missing());
  }

  /** How much of the image has come, by pod. */
  Map<String, String> progress(PrePull prePull) {
    Map<String, String> progress = new HashMap<>();
    prePull
        .present()
        .forEach(
            (name, pod) ->
                Optional.ofNullable(logs.fetched(new PodFacts(pod)).get(PrePullPod.DISK))
                    .ifPresent(line -> progress.put(name, line)));
    return progress;
  }
}
