package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.ResourceEventAware;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import java.util.function.Consumer;

/** Asks for a pass when something that is no Kubernetes object of ours has changed. */
final class Nudges {
  private final Source source = new Source();

  void nudge(String namespace, String name) {
    source.propagateEvent(new ResourceID(name, namespace));
  }

  /**
   * @param deleted told of each VM that is gone; a pass does not come for it any more
   */
  EventSource<?, VirtualMachine> eventSource(Consumer<VirtualMachine> deleted) {
    source.deleted = deleted;
    return source;
  }

  private static final class Source extends SimpleInboundEventSource<VirtualMachine>
      implements ResourceEventAware<VirtualMachine> {
    private Consumer<VirtualMachine> deleted = vm -> {};

    Source() {
      super("nudges");
    }

    @Override
    public void onResourceDeleted(VirtualMachine vm) {
      deleted.accept(vm);
    }
  }
}
