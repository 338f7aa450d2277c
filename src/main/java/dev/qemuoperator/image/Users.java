package dev.qemuoperator.image;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The VirtualMachines whose disks or CD-ROM drives name an image. */
final class Users {

  private final InformerEventSource<VirtualMachine, VirtualMachineImage> machines;

  /**
   * Of all namespaces, whichever this operator runs them of: an image belongs to none. What has
   * dropped an image tells all: there are few, and each counts for itself.
   */
  Users(EventSourceContext<VirtualMachineImage> context) {
    machines =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(VirtualMachine.class, VirtualMachineImage.class)
                .withWatchAllNamespaces()
                .withOnUpdateFilter((now, before) -> !imagesOf(now).equals(imagesOf(before)))
                .withSecondaryToPrimaryMapper(
                    vm ->
                        context
                            .getPrimaryCache()
                            .list()
                            .map(ResourceID::fromResource)
                            .collect(Collectors.toSet()))
                .build(),
            context);
  }

  InformerEventSource<VirtualMachine, VirtualMachineImage> eventSource() {
    return machines;
  }

  int of(HasMetadata image) {
    return (int) machines.list(vm -> imagesOf(vm).contains(image.getMetadata().getName())).count();
  }

  private static Set<String> imagesOf(VirtualMachine vm) {
    return Stream.concat(
            vm.getSpec().disks().stream().flatMap(disk -> Stream.ofNullable(disk.source().image())),
            vm.getSpec().cdroms().stream()
                .flatMap(cdrom -> Stream.ofNullable(cdrom.source()))
                .flatMap(source -> Stream.ofNullable(source.image())))
        .collect(Collectors.toSet());
  }
}
