package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.pod.PodSettings;
import dev.qemuoperator.status.ConditionList;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.MaxReconciliationInterval;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes what a VirtualMachine's spec wants so, and says in its status what is so. */
@ControllerConfiguration(
    name = VirtualMachineReconciler.NAME,
    fieldManager = VirtualMachineReconciler.FIELD_MANAGER,
    generationAwareEventProcessing = true,
    // deletion needs no finalizer: it is told, and the owner references do the work
    triggerReconcilerOnAllEvents = true,
    retry = PatientRetry.class,
    maxReconciliationInterval = @MaxReconciliationInterval(interval = -1))
public class VirtualMachineReconciler implements Reconciler<VirtualMachine> {

  static final String NAME = "virtualmachine";
  static final String FIELD_MANAGER = "qemu-operator";

  /** For what no watch tells: events about a pending claim, a name or a quota that gets free. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  private final PodSettings settings;
  private final CertificateAuthority authority;
  private final Clock clock;
  private final InputReader reader;
  private final SourceWatches sources;
  private final Monitoring monitoring;
  private final EventRecorder events;
  private final MachineMetrics metrics;
  private final Nudges nudges;

  VirtualMachineReconciler(
      PodSettings settings,
      CertificateAuthority authority,
      Clock clock,
      InputReader reader,
      SourceWatches sources,
      Monitoring monitoring,
      EventRecorder events,
      MachineMetrics metrics,
      Nudges nudges) {
    this.settings = settings;
    this.authority = authority;
    this.clock = clock;
    this.reader = reader;
    this.sources = sources;
    this.monitoring = monitoring;
    this.events = events;
    this.metrics = metrics;
    this.nudges = nudges;
  }

  @Override
  public UpdateControl<VirtualMachine> reconcile(
      VirtualMachine vm, Context<VirtualMachine> context) {
    if (context.isPrimaryResourceDeleted()) {
      return forget(vm);
    }
    MachineInputs in = reader.read(vm, context);
    monitoring.follow(in);
    MachineDecision decision = MachineDecision.of(in);
    DesiredState desired = DesiredState.build(in, decision, settings, authority, clock);
    // a VM that waits for somebody's finalizer is told about, but nothing is made for it any more
    Optional<Verdict> refused =
        vm.isMarkedForDeletion()
            ? Optional.empty()
            : new Apply(in, decision, context).apply(desired);
    VirtualMachineStatus status =
        MachineReport.of(in, decision, refused, desired.podFacts().template(), clock.instant());
    return report(vm, status);
  }

  private UpdateControl<VirtualMachine> report(VirtualMachine vm, VirtualMachineStatus status) {
    UpdateControl<VirtualMachine> control = UpdateControl.noUpdate();
    metrics.observe(vm, status);
    if (!status.equals(vm.getStatus())) {
      MachineEvent.between(Optional.ofNullable(vm.getStatus()), status)
          .forEach(event -> events.tell(vm, event));
      control = UpdateControl.patchStatus(statusOnly(vm, status));
    }
    return waitsForTheUnwatched(status) ? control.rescheduleAfter(LOOK_AGAIN) : control;
  }

  /** Server-side apply of nothing but the status: the spec stays its owner's. */
  private static VirtualMachine statusOnly(VirtualMachine vm, VirtualMachineStatus status) {
    VirtualMachine patch = new VirtualMachine();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace(vm.getMetadata().getNamespace())
            .withName(vm.getMetadata().getName())
            .withUid(vm.getMetadata().getUid())
            .build());
    patch.setStatus(status);
    return patch;
  }

  private static boolean waitsForTheUnwatched(VirtualMachineStatus status) {
    Set<String> reasons =
        Set.of(
            DisksReady.BINDING_CLAIM,
            DisksReady.CLAIM_PENDING,
            Accepted.NAME_TAKEN,
            Accepted.REFUSED);
    return List.of(Accepted.TYPE, DisksReady.TYPE).stream()
        .flatMap(type -> ConditionList.find(status.conditions(), type).stream())
        .anyMatch(condition -> reasons.contains(condition.getReason()));
  }

  private UpdateControl<VirtualMachine> forget(VirtualMachine vm) {
    sources.forget(InputReader.follower(vm));
    monitoring.forget(MachineInputs.identityOf(vm));
    metrics.forget(vm);
    return UpdateControl.noUpdate();
  }

  @Override
  public List<EventSource<?, VirtualMachine>> prepareEventSources(
      EventSourceContext<VirtualMachine> context) {
    return List.of(
        children(Pod.class, context),
        children(PersistentVolumeClaim.class, context),
        children(Secret.class, context),
        children(Service.class, context),
        nudges.eventSource());
  }

  /** Only what carries a VM's label is watched. */
  private static <R extends HasMetadata> EventSource<R, VirtualMachine> children(
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
