package dev.qemuoperator.machine;

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

/** The VirtualMachineImages: a change of one is told to the VMs whose disks name it. */
final class ImageWatch {

  private ImageWatch() {}

  static EventSource<VirtualMachineImage, VirtualMachine> of(
      EventSourceContext<VirtualMachine> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(VirtualMachineImage.class, VirtualMachine.class)
            .withWatchAllNamespaces()
            .withSecondaryToPrimaryMapper(
                image ->
                    context
                        .getPrimaryCache()
                        .list(vm -> named(vm).contains(image.getMetadata().getName()))
                        .map(ResourceID::fromResource)
                        .collect(Collectors.toSet()))
            .withPrimaryToSecondaryMapper(
                (VirtualMachine vm) ->
                    named(vm).stream().map(ResourceID::new).collect(Collectors.toSet()))
            .build(),
        context);
  }

  private static Set<String> named(VirtualMachine vm) {
    return vm.getSpec().disks().stream()
        .flatMap(disk -> Stream.ofNullable(disk.source()))
        .flatMap(source -> Stream.ofNullable(source.image()))
        .collect(Collectors.toSet());
  }
}
