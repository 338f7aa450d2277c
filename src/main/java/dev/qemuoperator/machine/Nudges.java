package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;

/** Asks for a pass when something that is no Kubernetes object of ours has changed. */
final class Nudges {
  private final SimpleInboundEventSource<VirtualMachine> source =
      new SimpleInboundEventSource<>("nudges");

  void nudge(String namespace, String name) {
    source.propagateEvent(new ResourceID(name, namespace));
  }

  EventSource<?, VirtualMachine> eventSource() {
    return source;
  }
}
