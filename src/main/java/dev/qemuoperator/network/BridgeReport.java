package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeConditions.Ready;
import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkStatus;
import dev.qemuoperator.api.BridgeNetworkStatus.Lease;
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
  static BridgeNetworkStatus invalid(BridgeNetwork network, String problem, Instant now) {
    return of(
        network,
        Verdict.no(Ready.INVALID, problem + ". VMs that ask for an address wait."),
        new Leases(before(network), List.of()),
        Optional.empty(),
        now);
  }

  static BridgeNetworkStatus of(BridgeNetwork network, Lan lan, Leases leases, Instant now) {
    Set<String> taken = leases.leases().stream().map(Lease::address).collect(Collectors.toSet());
    return of(
        network,
        verdict(network, leases),
        leases,
        Optional.of(lan).filter(Lan::hasPool).map(with -> with.count(taken)),
        now);
  }

  private static Verdict verdict(BridgeNetwork network, Leases leases) {
    long without =
        leases.conflicts().stream()
            .filter(conflict -> conflict.reason().equals(NetworkReady.POOL_EXHAUSTED))
            .count();
    return without == 0
        ? Verdict.yes(
            Ready.READY,
            "VMs can be on it, on nodes that have the bridge %s."
                .formatted(network.getSpec().bridge()))
        : Verdict.no(
            Ready.POOL_EXHAUSTED,
            "No address of the pool is left for %d network cards, see status.conflicts: enlarge spec.pool, or delete VMs that have one."
                .formatted(without));
  }

  private static BridgeNetworkStatus of(
      BridgeNetwork network, Verdict ready, Leases leases, Optional<Integer> free, Instant now) {
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
