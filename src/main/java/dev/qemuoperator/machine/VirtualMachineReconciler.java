package dev.qemuoperator.machine;

import static dev.qemuoperator.machine.Apply.Result.NOTHING_WRITTEN;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.machine.Apply.Result;
import dev.qemuoperator.machine.MachineDecision.PodStep;
import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.pod.PodSettings;
import dev.qemuoperator.roots.RootWatch;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.javaoperatorsdk.operator.api.config.informer.Informer;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.MaxReconciliationInterval;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Makes what a VirtualMachine's spec wants so, and says in its status what is so. */
@ControllerConfiguration(
    name = VirtualMachineReconciler.NAME,
    fieldManager = VirtualMachineReconciler.FIELD_MANAGER,
    // annotations ask for something too, and they do not change the generation
    generationAwareEventProcessing = false,
    informer = @Informer(onUpdateFilter = WishesChanged.class),
    maxReconciliationInterval = @MaxReconciliationInterval(interval = -1))
public class VirtualMachineReconciler implements Reconciler<VirtualMachine> {

  static final String NAME = "virtualmachine";
  static final String FIELD_MANAGER = "qemu-operator";

  /** For what no watch tells: events about a pending claim, a name or a quota that gets free. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  /**
   * What others change in the moment of our own write comes with its answer, and then as no event:
   * so each write is followed by one more look.
   */
  private static final Duration LOOK_ONCE_MORE = Duration.ofSeconds(1);

  /** For what is refused until somebody has changed something that is not watched. */
  private static final Duration LOOK_SELDOM = DiskResizes.AGAIN;

  private final PodSettings settings;
  private final CertificateAuthority authority;
  private final Clock clock;
  private final InputReader reader;
  private final SourceWatches sources;
  private final Monitoring monitoring;
  private final Steering steering;
  private final EventRecorder events;
  private final MachineMetrics metrics;
  private final Nudges nudges;
  private final Orphans orphans;

  VirtualMachineReconciler(
      PodSettings settings,
      CertificateAuthority authority,
      Clock clock,
      InputReader reader,
      SourceWatches sources,
      Monitoring monitoring,
      Steering steering,
      EventRecorder events,
      MachineMetrics metrics,
      Nudges nudges,
      Orphans orphans) {
    this.settings = settings;
    this.authority = authority;
    this.clock = clock;
    this.reader = reader;
    this.sources = sources;
    this.monitoring = monitoring;
    this.steering = steering;
    this.events = events;
    this.metrics = metrics;
    this.nudges = nudges;
    this.orphans = orphans;
  }

  @Override
  public UpdateControl<VirtualMachine> reconcile(
      VirtualMachine vm, Context<VirtualMachine> context) {
    Instant now = clock.instant();
    MachineInputs in = reader.read(vm, context);
    monitoring.follow(in);
    MachineDecision decision = MachineDecision.of(in);
    DesiredState desired = DesiredState.build(in, decision, settings, authority, clock);
    PodStep step = decision.podStep(in, desired.podFacts(), now);
    Result applied =
        mayChange(in) ? new Apply(in, decision, step, context).apply(desired) : NOTHING_WRITTEN;
    VirtualMachineStatus status = MachineReport.of(in, decision, applied, desired.podFacts(), now);
    boolean steered = !mayChange(in) || steering.steer(in, status);
    UpdateControl<VirtualMachine> control = report(vm, status, step == PodStep.REST || !steered);
    if (context.getPrimaryCache().get(ResourceID.fromResource(vm)).isEmpty()) {
      release(vm); // what was deleted in the middle of this pass has been forgotten too early
    }
    return control;
  }

  /**
   * A VM that waits for somebody's finalizer is told about, but nothing is made for it any more.
   */
  private static boolean mayChange(MachineInputs in) {
    return !in.vm().isMarkedForDeletion() && !in.isSuspended();
  }

  private UpdateControl<VirtualMachine> report(
      VirtualMachine vm, VirtualMachineStatus status, boolean comeBack) {
    UpdateControl<VirtualMachine> control = UpdateControl.noUpdate();
    metrics.observe(vm, status);
    if (!status.equals(vm.getStatus())) {
      MachineEvent.between(Optional.ofNullable(vm.getStatus()), status)
          .forEach(event -> events.tell(vm, event));
      control =
          UpdateControl.patchStatus(MachineReport.statusOnly(vm, status))
              .rescheduleAfter(LOOK_ONCE_MORE);
    }
    if (comeBack || MachineReport.waitsForTheUnwatched(status)) {
      return control.rescheduleAfter(LOOK_AGAIN);
    }
    return control.isNoUpdate() && PendingChanges.areHeldUp(status.pendingChanges())
        ? control.rescheduleAfter(LOOK_SELDOM)
        : control;
  }

  /** Deletion needs no finalizer: it is told, and the owner references do the work. */
  private void forget(VirtualMachine vm) {
    release(vm);
    orphans.tellOf(vm);
  }

  private void release(VirtualMachine vm) {
    sources.forget(InputReader.follower(vm));
    monitoring.forget(MachineInputs.identityOf(vm));
    steering.forget(Monitoring.key(MachineInputs.identityOf(vm)));
    metrics.forget(vm);
  }

  @Override
  public List<EventSource<?, VirtualMachine>> prepareEventSources(
      EventSourceContext<VirtualMachine> context) {
    orphans.lookWhere(context.getControllerConfiguration());
    return List.of(
        Children.watch(Pod.class, context),
        Children.watch(PersistentVolumeClaim.class, context),
        Children.watch(Secret.class, context),
        Children.watch(Service.class, context),
        ImageWatch.of(context),
        NamedWatch.of(BridgeNetwork.class, context, LanCards::named, LanCards::facts),
        RootWatch.of(VirtualMachine.class, context, (vm, root) -> Drive.areOfImages(vm.getSpec())),
        nudges.eventSource(this::forget));
  }
}
