package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.pod.PodFacts;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.Filterable;
import io.fabric8.kubernetes.client.dsl.PodResource;
import io.javaoperatorsdk.operator.api.config.ControllerConfiguration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * What is left when a VirtualMachine is gone. Its retained disks: an Event on the VM tells of them.
 * Its guest that runs on, because it was deleted with {@code --cascade=orphan}: an Event on the pod
 * tells of it. Both are left alone.
 */
final class Orphans {

  private static final Logger LOG = Logger.getLogger(Orphans.class);

  private final KubernetesClient client;
  private final EventRecorder events;

  /** Empty: all. */
  private volatile Set<String> namespaces = Set.of();

  Orphans(KubernetesClient client, EventRecorder events) {
    this.client = client;
    this.events = events;
  }

  /** Where the operator watches VirtualMachines, and nowhere else. */
  void lookWhere(ControllerConfiguration<VirtualMachine> configuration) {
    namespaces =
        configuration.getInformerConfig().watchAllNamespaces()
            ? Set.of()
            : configuration.getEffectiveNamespaces();
  }

  /** Those that were left before this operator began. */
  void tellAll() {
    try {
      pods().forEach(this::tell);
    } catch (KubernetesClientException e) {
      LOG.warnf("not looked for orphans problem=%s", e.getMessage());
    }
  }

  private List<Pod> pods() {
    return namespaces.isEmpty()
        ? labelled(client.pods().inAnyNamespace())
        : namespaces.stream()
            .flatMap(namespace -> labelled(client.pods().inNamespace(namespace)).stream())
            .toList();
  }

  private static List<Pod> labelled(
      Filterable<FilterWatchListDeletable<Pod, PodList, PodResource>> pods) {
    return pods.withLabel(Ownership.VM_LABEL).list().getItems();
  }

  /** Of a VM that has just been deleted: its disks, and its pod; returns before it is told. */
  void tellOf(VirtualMachine deleted) {
    Thread.ofVirtual()
        .name("orphan")
        .start(
            () -> {
              MachineEvent.ofRetainedDisks(deleted).ifPresent(event -> events.tell(deleted, event));
              lookFor(deleted);
            });
  }

  private void lookFor(VirtualMachine deleted) {
    try {
      Optional.ofNullable(
              client
                  .pods()
                  .inNamespace(deleted.getMetadata().getNamespace())
                  .withName(deleted.getMetadata().getName())
                  .get())
          .ifPresent(this::tell);
    } catch (KubernetesClientException e) {
      LOG.warnf(
          "not looked for what it left vm=%s/%s problem=%s",
          deleted.getMetadata().getNamespace(), deleted.getMetadata().getName(), e.getMessage());
    }
  }

  private void tell(Pod pod) {
    PodFacts facts = new PodFacts(pod);
    if (Ownership.isOrphan(pod) && !facts.isDeleting() && !facts.isOver()) {
      events.tell(
          pod,
          new MachineEvent(
              true,
              "Orphaned",
              ("Its VirtualMachine was deleted with --cascade=orphan: the guest runs on, and nobody"
                      + " reports of it or starts it again elsewhere. To power it off: kubectl delete"
                      + " pod,service,secret -l %s=%s")
                  .formatted(
                      Ownership.VM_LABEL, pod.getMetadata().getLabels().get(Ownership.VM_LABEL))));
    }
  }
}
