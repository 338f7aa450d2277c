package dev.qemuoperator.image;

import dev.qemuoperator.api.ImageConditions.Ready;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.MaxReconciliationInterval;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/** Finds out, once a VirtualMachine needs an image, which source serves it and what it must be. */
@ControllerConfiguration(
    name = VirtualMachineImageReconciler.NAME,
    fieldManager = "qemu-operator",
    // a refresh is asked for by an annotation, which does not change the generation
    generationAwareEventProcessing = false,
    maxReconciliationInterval = @MaxReconciliationInterval(interval = -1))
public class VirtualMachineImageReconciler implements Reconciler<VirtualMachineImage> {

  static final String NAME = "virtualmachineimage";

  /** Servers that do not answer are not asked more often than this. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(30);

  private final Web web;
  private final Clock clock;
  private final ImageSettings settings;

  VirtualMachineImageReconciler(Web web, Clock clock, ImageSettings settings) {
    this.web = web;
    this.clock = clock;
    this.settings = settings;
  }

  @Override
  public UpdateControl<VirtualMachineImage> reconcile(
      VirtualMachineImage image, Context<VirtualMachineImage> context) {
    if (!settings.manage()) {
      return UpdateControl.noUpdate();
    }
    int users = context.getSecondaryResources(VirtualMachine.class).size();
    Resolution resolution = ImageReport.pinned(image).orElseGet(() -> lookUp(image, users));
    return report(image, ImageReport.of(image, resolution, users, clock.instant()));
  }

  private Resolution lookUp(VirtualMachineImage image, int users) {
    return users == 0 ? Resolution.NOT_LOOKED_UP : Resolution.lookUp(image.getSpec(), web);
  }

  private static UpdateControl<VirtualMachineImage> report(
      VirtualMachineImage image, VirtualMachineImageStatus status) {
    UpdateControl<VirtualMachineImage> control =
        status.equals(image.getStatus())
            ? UpdateControl.noUpdate()
            : UpdateControl.patchStatus(statusOnly(image, status));
    boolean unresolved =
        status.conditions().stream()
            .anyMatch(c -> c.getType().equals(Ready.TYPE) && c.getStatus().equals("False"));
    return unresolved ? control.rescheduleAfter(LOOK_AGAIN) : control;
  }

  private static VirtualMachineImage statusOnly(
      VirtualMachineImage image, VirtualMachineImageStatus status) {
    VirtualMachineImage patch = new VirtualMachineImage();
    patch.getMetadata().setName(image.getMetadata().getName());
    patch.getMetadata().setUid(image.getMetadata().getUid());
    patch.setStatus(status);
    return patch;
  }

  @Override
  public List<EventSource<?, VirtualMachineImage>> prepareEventSources(
      EventSourceContext<VirtualMachineImage> context) {
    return settings.manage() ? List.of(Users.watch(context)) : List.of();
  }
}
