package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.pod.Ownership;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.Set;

/** The objects that belong to virtual machines: only what carries a VM's label is watched. */
final class Children {

  private Children() {}

  static <R extends HasMetadata> EventSource<R, VirtualMachine> watch(
      Class<R> kind, EventSourceContext<VirtualMachine> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(kind, VirtualMachine.class)
            .withName(kind.getSimpleName())
            .withLabelSelector(Ownership.VM_LABEL)
            .withSecondaryToPrimaryMapper(
                child ->
                    Set.of(
                        new ResourceID(
                            child.getMetadata().getLabels().get(Ownership.VM_LABEL),
                            child.getMetadata().getNamespace())))
            .withNamespacesInheritedFromController()
            .build(),
        context);
  }
}
