package dev.qemuoperator.nodes;

import io.fabric8.kubernetes.api.model.HasMetadata;
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
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The cluster's nodes, and the pods that a kind has on them, in the operator's namespace.
 *
 * @param <P> the kind, which owns the pods
 */
public final class NodePods<P extends HasMetadata> {

  private final KubernetesClient client;
  private final String namespace;
  private final Class<P> kind;
  private final Map<String, String> labels;
  private InformerEventSource<Node, P> nodes;
  private InformerEventSource<Pod, P> pods;

  /**
   * @param labels of these pods and no others
   */
  public NodePods(
      KubernetesClient client, String namespace, Class<P> kind, Map<String, String> labels) {
    this.client = client;
    this.namespace = namespace;
    this.kind = kind;
    this.labels = Map.copyOf(labels);
  }

  public String namespace() {
    return namespace;
  }

  /**
   * @param facts what of a node matters; it tells of itself every few minutes
   * @param concerned to whom a change of a node matters
   */
  public List<EventSource<?, P>> watch(
      EventSourceContext<P> context, Function<Node, Object> facts, Predicate<P> concerned) {
    nodes =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Node.class, kind)
                .withOnUpdateFilter((now, before) -> !facts.apply(now).equals(facts.apply(before)))
                .withSecondaryToPrimaryMapper(
                    node ->
                        context
                            .getPrimaryCache()
                            .list(concerned)
                            .map(ResourceID::fromResource)
                            .collect(Collectors.toSet()))
                .build(),
            context);
    pods =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Pod.class, kind)
                .withName("pods-on-nodes")
                .withNamespaces(Set.of(namespace))
                .withLabelSelector(
                    labels.entrySet().stream()
                        .map(label -> label.getKey() + "=" + label.getValue())
                        .collect(Collectors.joining(",")))
                .withSecondaryToPrimaryMapper(Mappers.fromOwnerReferences(kind, true))
                .build(),
            context);
    return List.of(nodes, pods);
  }

  public List<Node> nodes() {
    return nodes.list().toList();
  }

  /** The pods that an object has. */
  public List<Pod> of(P owner) {
    String uid = owner.getMetadata().getUid();
    return pods.list(
            pod ->
                pod.getMetadata().getOwnerReferences().stream()
                    .anyMatch(reference -> reference.getUid().equals(uid)))
        .toList();
  }

  /**
   * @return what the API server said to pods that could not be made, by name
   */
  public Map<String, String> apply(Collection<Pod> surplus, Collection<Pod> missing) {
    surplus.forEach(pod -> client.resource(pod).delete());
    Map<String, String> refused = new HashMap<>();
    for (Pod pod : missing) {
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
}
