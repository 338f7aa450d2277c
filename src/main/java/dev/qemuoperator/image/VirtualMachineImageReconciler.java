package dev.qemuoperator.image;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import dev.qemuoperator.api.VirtualMachineImageStatus.Node;
import dev.qemuoperator.image.Users.Use;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.roots.RootWatch;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.MaxReconciliationInterval;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds out, once a VirtualMachine needs an image, which source serves it and what it must be. */
@ControllerConfiguration(
    name = VirtualMachineImageReconciler.NAME,
    fieldManager = "qemu-operator",
    // a refresh is asked for by an annotation, which does not change the generation
    generationAwareEventProcessing = false,
    maxReconciliationInterval = @MaxReconciliationInterval(interval = -1))
public class VirtualMachineImageReconciler implements Reconciler<VirtualMachineImage> {

  static final String NAME = "virtualmachineimage";

  /**
   * What others change in the moment of our own write comes with its answer, and then as no event:
   * so each write is followed by one more look.
   */
  private static final Duration LOOK_ONCE_MORE = Duration.ofSeconds(1);

  /** For how far a fetch is. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  private final Web web;
  private final Clock clock;
  private final ImageSettings settings;
  private final PrePullPods nodes;
  private final Attempts attempts;
  private Users users;

  VirtualMachineImageReconciler(Web web, Clock clock, ImageSettings settings, PrePullPods nodes) {
    this.web = web;
    this.clock = clock;
    this.settings = settings;
    this.nodes = nodes;
    this.attempts = new Attempts(clock);
  }

  @Override
  public UpdateControl<VirtualMachineImage> reconcile(
      VirtualMachineImage image, Context<VirtualMachineImage> context) {
    if (!settings.manage()) {
      return UpdateControl.noUpdate();
    }
    List<Use> uses = users.of(image);
    HostPathRoots roots = RootWatch.read(context);
    boolean wanted = !uses.isEmpty() || image.getSpec().prePull() != null;
    Resolution resolution = resolve(image, roots, wanted);
    PrePull prePull = nodes.read(image, resolution, roots, users.keptBases(context));
    Map<String, String> refused = nodes.apply(prePull);
    Map<String, Node> prePulled = prePull.nodes(nodes.progress(prePull), refused);
    VirtualMachineImageStatus status =
        ImageReport.of(
            image,
            roots,
            resolution,
            prePulled.values(),
            uses,
            Presence.of(resolution, prePull, prePulled, uses),
            clock.instant());
    UpdateControl<VirtualMachineImage> control = UpdateControl.noUpdate();
    if (!status.equals(image.getStatus())) {
      control =
          UpdateControl.patchStatus(ImageReport.statusOnly(image, status))
              .rescheduleAfter(LOOK_ONCE_MORE);
    }
    if (prePulled.values().stream().anyMatch(node -> node.state().equals(PrePull.FETCHING))) {
      return control.rescheduleAfter(LOOK_AGAIN);
    }
    return resolution.problem().isPresent() || !refused.isEmpty()
        ? control.rescheduleAfter(Attempts.PAUSE)
        : control;
  }

  private Resolution resolve(VirtualMachineImage image, HostPathRoots roots, boolean wanted) {
    Optional<Resolution> pinned = ImageReport.pinned(image, roots);
    if (pinned.isPresent() && !ImageReport.isRefreshRequested(image)) {
      return pinned.get();
    }
    if (pinned.isEmpty() && !wanted) {
      return Resolution.NOT_LOOKED_UP;
    }
    Resolution found =
        attempts.of(image, roots, () -> Resolution.lookUp(image.getSpec(), roots, web));
    return found.problem().isEmpty()
        ? found
        : pinned.map(pin -> pin.inSpiteOf(found)).orElse(found);
  }

  @Override
  public List<EventSource<?, VirtualMachineImage>> prepareEventSources(
      EventSourceContext<VirtualMachineImage> context) {
    if (!settings.manage()) {
      return List.of();
    }
    users = new Users(context);
    List<EventSource<?, VirtualMachineImage>> sources = new ArrayList<>(nodes.watch(context));
    sources.add(users.eventSource());
    sources.add(
        RootWatch.of(
            VirtualMachineImage.class,
            context,
            (image, root) -> Resolution.names(image.getSpec(), root)));
    return sources;
  }
}
