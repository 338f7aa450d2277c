package dev.qemuoperator.image;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The VirtualMachines whose disks name an image. */
final class Users {

  private Users() {}

  /** Of all namespaces, whichever this operator runs them of: an image belongs to none. */
  static EventSource<VirtualMachine, VirtualMachineImage> watch(
      EventSourceContext<VirtualMachineImage> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(VirtualMachine.class, VirtualMachineImage.class)
            .withWatchAllNamespaces()
            .withSecondaryToPrimaryMapper(Users::imagesOf)
            .build(),
        context);
  }

  private static Set<ResourceID> imagesOf(VirtualMachine vm) {
    return vm.getSpec().disks().stream()
        .flatMap(disk -> Stream.ofNullable(disk.source().image()))
        .map(ResourceID::new)
        .collect(Collectors.toSet());
  }
}
