package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The VirtualMachineImages: a change of one is told to the VMs that name it. */
final class ImageWatch {

  private ImageWatch() {}

  static EventSource<VirtualMachineImage, VirtualMachine> of(
      EventSourceContext<VirtualMachine> context) {
    // who else uses it is not their business
    return NamedWatch.of(VirtualMachineImage.class, context, ImageWatch::named, ImageWatch::use);
  }

  /** Those that any VM names, and the others. */
  static Stream<VirtualMachineImage> all(Context<VirtualMachine> context) {
    return ((InformerEventSource<VirtualMachineImage, VirtualMachine>)
            context.eventSourceRetriever().getEventSourceFor(VirtualMachineImage.class))
        .list();
  }

  /** What a disk can be made from, and why not. */
  private static Object use(VirtualMachineImage image) {
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
