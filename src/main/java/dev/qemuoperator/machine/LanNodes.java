package dev.qemuoperator.machine;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkStatus;
import dev.qemuoperator.api.BridgeNetworkStatus.Node;
import dev.qemuoperator.api.Conditions.NetworkReady;
import dev.qemuoperator.api.Network;
import dev.qemuoperator.status.Verdict;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The nodes that have the bridges of all LANs of a VM. */
final class LanNodes {

  /** Nodes whose message stands in a condition; a BridgeNetwork has the others. */
  private static final int TOLD = 3;

  private LanNodes() {}

  /** Empty: any node, since there is no card on a LAN. */
  static Optional<SortedSet<String>> of(MachineInputs in) {
    return LanCards.of(in.spec())
        .map(card -> ready(LanCards.network(in, card)))
        .reduce(
            (some, others) -> {
              SortedSet<String> both = new TreeSet<>(some);
              both.retainAll(others);
              return both;
            });
  }

  /** None before all are known: else every VM would go to the node that has told first. */
  private static SortedSet<String> ready(Optional<BridgeNetwork> lan) {
    return nodes(lan).stream()
        .filter(node -> unknown(nodes(lan)).isEmpty())
        .filter(node -> node.state().equals(BridgeNetworkStatus.READY))
        .map(Node::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<Node> nodes(Optional<BridgeNetwork> lan) {
    return lan.map(BridgeNetwork::getStatus).map(BridgeNetworkStatus::nodes).orElse(List.of());
  }

  private static List<String> unknown(List<Node> nodes) {
    return nodes.stream()
        .filter(node -> node.state().equals(BridgeNetworkStatus.LOOKING))
        .map(Node::name)
        .toList();
  }

  /** Why there is none. */
  static Verdict problem(MachineInputs in) {
    return LanCards.of(in.spec())
        .filter(card -> ready(LanCards.network(in, card)).isEmpty())
        .findFirst()
        .map(card -> problem(card, nodes(LanCards.network(in, card))))
        .orElseGet(
            () ->
                Verdict.no(
                    NetworkReady.NO_NODE,
                    "No node has the bridges of all networks: %s. Make the missing one on one of these nodes, or leave a network out."
                        .formatted(
                            LanCards.of(in.spec())
                                .map(card -> where(in, card))
                                .collect(Collectors.joining("; ")))));
  }

  private static String where(MachineInputs in, Network card) {
    return "%s (BridgeNetwork/%s) is on %s"
        .formatted(
            card.name(),
            card.bridge().network(),
            String.join(", ", ready(LanCards.network(in, card))));
  }

  private static Verdict problem(Network card, List<Node> nodes) {
    if (nodes.isEmpty() || !unknown(nodes).isEmpty()) {
      return Verdict.no(
          NetworkReady.AWAITING_NODES,
          "%s: BridgeNetwork/%s has not told yet which nodes have its bridge%s."
              .formatted(
                  LanCards.title(card),
                  card.bridge().network(),
                  unknown(nodes).stream()
                      .limit(TOLD)
                      .reduce((some, next) -> some + ", " + next)
                      .map(names -> "; it looks at " + names)
                      .orElse("")));
    }
    return Verdict.no(
        NetworkReady.NO_NODE,
        "%s: no node is on BridgeNetwork/%s. %s%s"
            .formatted(
                LanCards.title(card),
                card.bridge().network(),
                nodes.stream()
                    .limit(TOLD)
                    .map(node -> "Node %s: %s".formatted(node.name(), node.message()))
                    .collect(Collectors.joining(" ")),
                nodes.size() <= TOLD
                    ? ""
                    : " Its status tells of %d more.".formatted(nodes.size() - TOLD)));
  }
}
