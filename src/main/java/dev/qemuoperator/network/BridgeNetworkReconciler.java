package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkStatus;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.MaxReconciliationInterval;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Gives the addresses of a LAN to the VMs on it; what it has given stands in its status. */
@ControllerConfiguration(
    name = BridgeNetworkReconciler.NAME,
    fieldManager = "qemu-operator",
    maxReconciliationInterval = @MaxReconciliationInterval(interval = -1))
public class BridgeNetworkReconciler implements Reconciler<BridgeNetwork> {

  static final String NAME = "bridgenetwork";

  /**
   * What others change in the moment of our own write comes with its answer, and then as no event:
   * so each write is followed by one more look.
   */
  private static final Duration LOOK_ONCE_MORE = Duration.ofSeconds(1);

  private final Clock clock;
  private final NetworkSettings settings;
  private Cards cards;

  BridgeNetworkReconciler(Clock clock, NetworkSettings settings) {
    this.clock = clock;
    this.settings = settings;
  }

  @Override
  public UpdateControl<BridgeNetwork> reconcile(
      BridgeNetwork network, Context<BridgeNetwork> context) {
    if (!settings.manage()) {
      return UpdateControl.noUpdate();
    }
    BridgeNetworkStatus status = status(network, clock.instant());
    return status.equals(network.getStatus())
        ? UpdateControl.noUpdate()
        : UpdateControl.patchStatus(BridgeReport.statusOnly(network, status))
            .rescheduleAfter(LOOK_ONCE_MORE);
  }

  private BridgeNetworkStatus status(BridgeNetwork network, Instant now) {
    Optional<String> problem = Lan.problem(network.getSpec());
    if (problem.isPresent()) {
      return BridgeReport.invalid(network, problem.get(), now);
    }
    Lan lan = Lan.of(network.getSpec());
    Leases leases =
        Leases.of(
            network.getMetadata().getName(),
            lan,
            network.getSpec()::allows,
            BridgeReport.before(network),
            cards.on(network),
            cards.held(network));
    return BridgeReport.of(network, lan, leases, now);
  }

  @Override
  public List<EventSource<?, BridgeNetwork>> prepareEventSources(
      EventSourceContext<BridgeNetwork> context) {
    if (!settings.manage()) {
      return List.of();
    }
    cards = new Cards(context);
    return cards.eventSources();
  }
}
