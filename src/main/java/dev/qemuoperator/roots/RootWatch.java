package dev.qemuoperator.roots;

import dev.qemuoperator.api.HostPathRoot;
import dev.qemuoperator.pod.HostPathRoots;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;

/** The HostPathRoots: a change of one is told to those of a kind whose images may be in it. */
public final class RootWatch {

  private RootWatch() {}

  /**
   * @param concerns whether an object may have an image in the root of this name
   */
  public static <P extends HasMetadata> EventSource<HostPathRoot, P> of(
      Class<P> kind, EventSourceContext<P> context, BiPredicate<P, String> concerns) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(HostPathRoot.class, kind)
            .withWatchAllNamespaces()
            .withSecondaryToPrimaryMapper(
                root ->
                    context
                        .getPrimaryCache()
                        .list(object -> concerns.test(object, root.getMetadata().getName()))
                        .map(ResourceID::fromResource)
                        .collect(Collectors.toSet()))
            .build(),
        context);
  }

  /** All that there are. */
  public static <P extends HasMetadata> HostPathRoots read(Context<P> context) {
    return HostPathRoots.of(
        ((InformerEventSource<HostPathRoot, P>)
                context.eventSourceRetriever().getEventSourceFor(HostPathRoot.class))
            .list());
  }
}
