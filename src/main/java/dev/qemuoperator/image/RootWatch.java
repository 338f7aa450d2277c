package dev.qemuoperator.image;

import dev.qemuoperator.api.HostPathRoot;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.pod.HostPathRoots;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.stream.Collectors;

/** The HostPathRoots: a change of one is told to the images that name it. */
final class RootWatch {

  private RootWatch() {}

  static EventSource<HostPathRoot, VirtualMachineImage> of(
      EventSourceContext<VirtualMachineImage> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(HostPathRoot.class, VirtualMachineImage.class)
            .withWatchAllNamespaces()
            .withSecondaryToPrimaryMapper(
                root ->
                    context
                        .getPrimaryCache()
                        .list(image -> names(image, root.getMetadata().getName()))
                        .map(ResourceID::fromResource)
                        .collect(Collectors.toSet()))
            .build(),
        context);
  }

  static HostPathRoots read(Context<VirtualMachineImage> context) {
    return HostPathRoots.of(
        ((InformerEventSource<HostPathRoot, VirtualMachineImage>)
                context.eventSourceRetriever().getEventSourceFor(HostPathRoot.class))
            .list());
  }

  private static boolean names(VirtualMachineImage image, String root) {
    return image.getSpec().sources().stream()
        .anyMatch(source -> source.hostPath() != null && source.hostPath().root().equals(root));
  }
}
