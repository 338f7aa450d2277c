package dev.qemuoperator.machine;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.qemu.Hardware;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.Set;
import java.util.stream.Collectors;

/** The BridgeNetworks: a change of one is told to the VMs that are on it. */
final class LanWatch {

  private LanWatch() {}

  static EventSource<BridgeNetwork, VirtualMachine> of(EventSourceContext<VirtualMachine> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(BridgeNetwork.class, VirtualMachine.class)
            .withWatchAllNamespaces()
            .withSecondaryToPrimaryMapper(
                network ->
                    context
                        .getPrimaryCache()
                        .list(vm -> named(vm).contains(network.getMetadata().getName()))
                        .map(ResourceID::fromResource)
                        .collect(Collectors.toSet()))
            .withPrimaryToSecondaryMapper(
                (VirtualMachine vm) ->
                    named(vm).stream().map(ResourceID::new).collect(Collectors.toSet()))
            .build(),
        context);
  }

  private static Set<String> named(VirtualMachine vm) {
    return Hardware.networks(vm.getSpec()).stream()
        .filter(card -> card.bridge() != null)
        .map(card -> card.bridge().network())
        .collect(Collectors.toSet());
  }
}
