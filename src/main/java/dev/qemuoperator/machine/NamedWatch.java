package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Objects of no namespace that VMs name: a change of one is told to the VMs that name it. */
final class NamedWatch {

  private NamedWatch() {}

  /**
   * @param named the names that a VM's spec has
   * @param facts what of an object concerns VMs; a change of nothing else is told
   */
  static <T extends HasMetadata> EventSource<T, VirtualMachine> of(
      Class<T> kind,
      EventSourceContext<VirtualMachine> context,
      Function<VirtualMachine, Set<String>> named,
      Function<T, Object> facts) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(kind, VirtualMachine.class)
            .withWatchAllNamespaces()
            .withOnUpdateFilter((now, before) -> !facts.apply(now).equals(facts.apply(before)))
            .withSecondaryToPrimaryMapper(
                object ->
                    context
                        .getPrimaryCache()
                        .list(vm -> named.apply(vm).contains(object.getMetadata().getName()))
                        .map(ResourceID::fromResource)
                        .collect(Collectors.toSet()))
            .withPrimaryToSecondaryMapper(
                (VirtualMachine vm) ->
                    named.apply(vm).stream().map(ResourceID::new).collect(Collectors.toSet()))
            .build(),
        context);
  }
}
