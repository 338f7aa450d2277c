package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The VirtualMachineImages: a change of one is told to the VMs that name it. */
final class ImageWatch {

  private ImageWatch() {}

  static EventSource<VirtualMachineImage, VirtualMachine> of(
      EventSourceContext<VirtualMachine> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(VirtualMachineImage.class, VirtualMachine.class)
            .withWatchAllNamespaces()
            // who else uses it is not their business
            .withOnUpdateFilter((now, before) -> !use(now).equals(use(before)))
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

  /** Those that any VM names, and the others. */
  static Stream<VirtualMachineImage> all(Context<VirtualMachine> context) {
    return ((InformerEventSource<VirtualMachineImage, VirtualMachine>)
            context.eventSourceRetriever().getEventSourceFor(VirtualMachineImage.class))
        .list();
  }

  /** What a disk can be made from, and why not. */
  private static List<Object> use(VirtualMachineImage image) {
    return Stream.concat(
            Stream.of(image.getMetadata().getUid(), image.getMetadata().getGeneration()),
            Stream.ofNullable(image.getStatus())
                .flatMap(
                    status ->
                        Stream.of(
                            Optional.ofNullable(status.observedGeneration()),
                            Optional.ofNullable(status.source()),
                            Optional.ofNullable(status.digest()),
                            status.conditions())))
        .toList();
  }

  private static Set<String> named(VirtualMachine vm) {
    return Drive.of(vm.getSpec()).stream()
        .flatMap(drive -> Stream.ofNullable(drive.source().image()))
        .collect(Collectors.toSet());
  }
}
