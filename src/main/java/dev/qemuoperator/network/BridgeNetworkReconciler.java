package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkStatus;
import dev.qemuoperator.api.BridgeNetworkStatus.Node;
import dev.qemuoperator.nodes.NodePods;
import dev.qemuoperator.pod.PodSettings;
import io.fabric8.kubernetes.client.KubernetesClient;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Gives the addresses of a LAN to the VMs on it, and looks which nodes have its bridge; what it has
 * given and found stands in its status.
 */
@ControllerConfiguration(
    name = BridgeNetworkReconciler.NAME,
    fieldManager = "qemu-operator",
    // another look is asked for by an annotation, which does not change the generation
    generationAwareEventProcessing = false,
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
  private final NodePods<BridgeNetwork> pods;
  private final String runnerImage;
  private Cards cards;

  BridgeNetworkReconciler(
      Clock clock,
      NetworkSettings settings,
      KubernetesClient client,
      PodSettings pods,
      @ConfigProperty(name = "qemu-operator.namespace") String namespace) {
    this.clock = clock;
    this.settings = settings;
    this.pods = new NodePods<>(client, namespace, BridgeNetwork.class, LookPods.LABELS);
    this.runnerImage = pods.runnerImage();
  }

  @Override
  public UpdateControl<BridgeNetwork> reconcile(
      BridgeNetwork network, Context<BridgeNetwork> context) {
    if (!settings.manage()) {
      return UpdateControl.noUpdate();
    }
    Instant now = clock.instant();
    Looks looks =
        Looks.of(
            new LookPods(network, pods.namespace(), runnerImage),
            pods.nodes(),
            pods.of(network),
            cards.refusals(network),
            now);
    Map<String, String> refused = pods.apply(looks.surplus(), looks.missing());
    BridgeNetworkStatus status = status(network, looks.told(network.getSpec(), refused), now);
    if (!status.equals(network.getStatus())) {
      return UpdateControl.patchStatus(BridgeReport.statusOnly(network, status))
          .rescheduleAfter(LOOK_ONCE_MORE);
    }
    UpdateControl<BridgeNetwork> control = UpdateControl.noUpdate();
    return Optional.of(Looks.SOON)
        .filter(soon -> !refused.isEmpty())
        .or(() -> looks.next().map(due -> Duration.between(now, due).plus(LOOK_ONCE_MORE)))
        .map(control::rescheduleAfter)
        .orElse(control);
  }

  private BridgeNetworkStatus status(BridgeNetwork network, List<Node> nodes, Instant now) {
    Optional<String> problem = Lan.problem(network.getSpec());
    if (problem.isPresent()) {
      return BridgeReport.invalid(network, problem.get(), nodes, now);
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
    return BridgeReport.of(network, lan, nodes, leases, now);
  }

  @Override
  public List<EventSource<?, BridgeNetwork>> prepareEventSources(
      EventSourceContext<BridgeNetwork> context) {
    if (!settings.manage()) {
      return List.of();
    }
    cards = new Cards(context);
    List<EventSource<?, BridgeNetwork>> sources =
        new ArrayList<>(pods.watch(context, Looks::facts, network -> true));
    sources.addAll(cards.eventSources());
    return sources;
  }
}
