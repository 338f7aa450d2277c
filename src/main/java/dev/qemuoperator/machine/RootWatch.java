package dev.qemuoperator.machine;

import dev.qemuoperator.api.HostPathRoot;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.pod.HostPathRoots;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.stream.Collectors;

/** The HostPathRoots: a change of one is told to the VMs whose images may be in it. */
final class RootWatch {

  private RootWatch() {}

  static EventSource<HostPathRoot, VirtualMachine> of(EventSourceContext<VirtualMachine> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(HostPathRoot.class, VirtualMachine.class)
            .withWatchAllNamespaces()
            .withSecondaryToPrimaryMapper(
                root ->
                    context
                        .getPrimaryCache()
                        .list(RootWatch::namesImages)
                        .map(ResourceID::fromResource)
                        .collect(Collectors.toSet()))
            .build(),
        context);
  }

  static HostPathRoots read(Context<VirtualMachine> context) {
    return HostPathRoots.of(
        ((InformerEventSource<HostPathRoot, VirtualMachine>)
                context.eventSourceRetriever().getEventSourceFor(HostPathRoot.class))
            .list());
  }

  /** Which of them names the root, the image knows; roots rarely change. */
  private static boolean namesImages(VirtualMachine vm) {
    return Drive.of(vm.getSpec()).stream().anyMatch(drive -> drive.source().image() != null);
  }
}
