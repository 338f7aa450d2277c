package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeConditions.Ready;
import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkStatus;
import dev.qemuoperator.api.BridgeNetworkStatus.Lease;
import dev.qemuoperator.api.BridgeNetworkStatus.Node;
import dev.qemuoperator.api.Conditions.NetworkReady;
import dev.qemuoperator.status.ConditionList;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The status of a LAN. */
final class BridgeReport {

  private BridgeReport() {}

  /** What the pass before has written. */
  static List<Lease> before(BridgeNetwork network) {
    return Optional.ofNullable(network.getStatus())
        .map(BridgeNetworkStatus::addresses)
        .orElse(List.of());
  }

  /** Of a spec that contradicts itself: who has an address keeps it. */
  static BridgeNetworkStatus invalid(
      BridgeNetwork network, String problem, List<Node> nodes, Instant now) {
    return of(
        network,
        nodes,
        Verdict.no(Ready.INVALID, problem + ". VMs that ask for an address wait."),
        new Leases(before(network), List.of()),
        Optional.empty(),
        now);
  }

  static BridgeNetworkStatus of(
      BridgeNetwork network, Lan lan, List<Node> nodes, Leases leases, Instant now) {
    Set<String> taken = leases.leases().stream().map(Lease::address).collect(Collectors.toSet());
    return of(
        network,
        nodes,
        noNode(network, nodes).orElseGet(() -> verdict(nodes, leases)),
        leases,
        Optional.of(lan).filter(Lan::hasPool).map(with -> with.count(taken)),
        now);
  }

  private static Optional<Verdict> noNode(BridgeNetwork network, List<Node> nodes) {
    if (ready(nodes) > 0) {
      return Optional.empty();
    }
    String bridge = network.getSpec().bridge();
    return Optional.of(
        nodes.stream().anyMatch(node -> node.state().equals(BridgeNetworkStatus.LOOKING))
            ? Verdict.unknown(
                Ready.LOOKING, "It is looked which nodes have the bridge %s.".formatted(bridge))
            : Verdict.no(
                Ready.NO_NODE,
                "No node has the bridge %s so that VMs can use it: see status.nodes, which is looked at again every 30 s."
                    .formatted(bridge)));
  }

  private static long ready(List<Node> nodes) {
    return nodes.stream().filter(node -> node.state().equals(BridgeNetworkStatus.READY)).count();
  }

  private static Verdict verdict(List<Node> nodes, Leases leases) {
    long without =
        leases.conflicts().stream()
            .filter(conflict -> conflict.reason().equals(NetworkReady.POOL_EXHAUSTED))
            .count();
    return without == 0
        ? Verdict.yes(
            Ready.READY,
            "VMs can be on it, on %d of %d nodes.".formatted(ready(nodes), nodes.size()))
        : Verdict.no(
            Ready.POOL_EXHAUSTED,
            "No address of the pool is left for %d network cards, see status.conflicts: enlarge spec.pool, or delete VMs that have one."
                .formatted(without));
  }

  private static BridgeNetworkStatus of(
      BridgeNetwork network,
      List<Node> nodes,
      Verdict ready,
      Leases leases,
      Optional<Integer> free,
      Instant now) {
    long generation = network.getMetadata().getGeneration();
    return new BridgeNetworkStatus(
        generation,
        ConditionList.of(
            Map.of(Ready.TYPE, ready),
            Optional.ofNullable(network.getStatus())
                .map(BridgeNetworkStatus::conditions)
                .orElse(List.of()),
            generation,
            now),
        nodes,
        leases.leases().size(),
        free.orElse(null),
        leases.leases(),
        leases.conflicts());
  }

  /**
   * Of the very version that was read: what another operator, or an earlier leader, has given
   * meanwhile must not be given again.
   */
  static BridgeNetwork statusOnly(BridgeNetwork network, BridgeNetworkStatus status) {
    BridgeNetwork patch = new BridgeNetwork();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withName(network.getMetadata().getName())
            .withUid(network.getMetadata().getUid())
            .withResourceVersion(network.getMetadata().getResourceVersion())
            .build());
    patch.setStatus(status);
    return patch;
  }
}
