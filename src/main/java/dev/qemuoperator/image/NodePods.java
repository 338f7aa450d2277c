package dev.qemuoperator.image;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.logs.PodLogs;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodSettings;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.Mappers;
import java.net.HttpURLConnection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.stream.Collectors;

/** The cluster's nodes, and the pods that fetch images to them, in the operator's namespace. */
final class NodePods {

  private final KubernetesClient client;
  private final String namespace;
  private final PodSettings settings;
  private final PodLogs logs;
  private InformerEventSource<Node, VirtualMachineImage> nodes;
  private InformerEventSource<Pod, VirtualMachineImage> pods;

  NodePods(KubernetesClient client, String namespace, PodSettings settings) {
    this.client = client;
    this.namespace = namespace;
    this.settings = settings;
    this.logs = new PodLogs(client);
  }

  List<EventSource<?, VirtualMachineImage>> watch(EventSourceContext<VirtualMachineImage> context) {
    nodes =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Node.class, VirtualMachineImage.class)
                .withOnUpdateFilter((now, before) -> !choice(now).equals(choice(before)))
                .withSecondaryToPrimaryMapper(
                    node ->
                        context
                            .getPrimaryCache()
                            .list(image -> image.getSpec().prePull() != null)
                            .map(ResourceID::fromResource)
                            .collect(Collectors.toSet()))
                .build(),
            context);
    pods =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Pod.class, VirtualMachineImage.class)
                .withNamespaces(Set.of(namespace))
                .withLabelSelector(
                    PrePullPod.LABELS.entrySet().stream()
                        .map(label -> label.getKey() + "=" + label.getValue())
                        .collect(Collectors.joining(",")))
                .withSecondaryToPrimaryMapper(
                    Mappers.fromOwnerReferences(VirtualMachineImage.class, true))
                .build(),
            context);
    return List.of(nodes, pods);
  }

  /** What decides whether a node fetches images. A node tells of itself every few minutes. */
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
    String uid = image.getMetadata().getUid();
    return PrePull.of(
        image,
        resolution,
        roots,
        nodes.list().toList(),
        pods.list(pod -> pod.getMetadata().getOwnerReferences().getFirst().getUid().equals(uid))
            .toList(),
        keptBases,
        namespace,
        settings);
  }

  /**
   * @return what the API server said to pods that could not be made, by name
   */
  Map<String, String> apply(PrePull prePull) {
    prePull.surplus().forEach(pod -> client.resource(pod).delete());
    Map<String, String> refused = new HashMap<>();
    for (Pod pod : prePull.missing()) {
      try {
        client.resource(pod).create();
      } catch (KubernetesClientException e) {
        // the one that is there is not in the cache yet, or is being deleted
        if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
          refused.put(pod.getMetadata().getName(), e.getMessage());
        }
      }
    }
    return refused;
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
