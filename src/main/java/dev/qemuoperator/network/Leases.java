package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeNetworkStatus.Conflict;
import dev.qemuoperator.api.BridgeNetworkStatus.Lease;
import dev.qemuoperator.api.Conditions.NetworkReady;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Who has which address of a LAN, and who has got none. One pass at a time decides for all VMs, and
 * what it has written counts for the next one: so no address is given twice.
 */
record Leases(List<Lease> leases, List<Conflict> conflicts) {

  /**
   * A network card that wants an address.
   *
   * @param wanted empty: any of the pool
   * @param known what the VM's status says that it has had
   * @param createdAt of the VM, RFC 3339: who came first, comes first
   */
  record Card(
      String namespace,
      String virtualMachine,
      String uid,
      String network,
      Optional<String> wanted,
      Optional<String> known,
      String createdAt) {

    private boolean isOf(Lease lease) {
      return lease.namespace().equals(namespace)
          && lease.virtualMachine().equals(virtualMachine)
          && lease.network().equals(network);
    }

    private Lease lease(String address) {
      return new Lease(address, namespace, virtualMachine, uid, network);
    }

    private Conflict conflict(String reason, String message) {
      return new Conflict(
          namespace, virtualMachine, uid, network, wanted.orElse(null), reason, message);
    }
  }

  /**
   * A VM of the same name takes over what an earlier one has had: their pods have the same name, so
   * there is never more than one. What nobody wants any more rests for one pass: the pod that was
   * made with it a moment ago may not be known yet.
   *
   * @param bridgeNetwork its name, for messages
   * @param allowed whether VMs of a namespace may be on it
   * @param before what the pass before has written
   * @param held what pods were made with that are still there
   */
  static Leases of(
      String bridgeNetwork,
      Lan lan,
      Predicate<String> allowed,
      Collection<Lease> before,
      Collection<Card> cards,
      Collection<Lease> held) {
    Map<String, Lease> given = new HashMap<>();
    List<Lease> trusted = held.stream().filter(lease -> isTrusted(lease, before, cards)).toList();
    trusted.forEach(lease -> given.put(lease.address(), onlyHeld(lease)));
    List<Conflict> conflicts = new ArrayList<>();
    List<Card> waiting = new ArrayList<>();
    for (Card card : inOrder(cards)) {
      if (!allowed.test(card.namespace())) {
        conflicts.add(
            card.conflict(
                NetworkReady.NAMESPACE_NOT_ALLOWED,
                "BridgeNetwork/%s is not for the namespace %s: ask whoever looks after it to add that to its spec.allowedNamespaces, or use another network."
                    .formatted(bridgeNetwork, card.namespace())));
      } else {
        waiting.add(card);
      }
    }
    List.of(trusted, before)
        .forEach(known -> waiting.removeIf(card -> keeps(card, lan, known, given)));
    before.stream()
        .filter(lease -> !lease.uid().isEmpty() && !given.containsKey(lease.address()))
        .forEach(lease -> given.put(lease.address(), onlyHeld(lease)));
    waiting.removeIf(
        card -> card.wanted().isPresent() && asks(card, bridgeNetwork, lan, given, conflicts));
    for (Card card : waiting) {
      Set<String> taken = given.keySet();
      card.known()
          .filter(lan::isInPool)
          .filter(address -> !taken.contains(address) && lan.objection(address).isEmpty())
          .or(() -> lan.free(taken))
          .ifPresentOrElse(
              address -> given.put(address, card.lease(address)),
              () -> conflicts.add(nothingLeft(card, bridgeNetwork, lan)));
    }
    return new Leases(Lan.sorted(given.keySet()).stream().map(given::get).toList(), conflicts);
  }

  /** Whoever may make pods can write on one what he likes: it must be of a card that is known. */
  private static boolean isTrusted(Lease lease, Collection<Lease> before, Collection<Card> cards) {
    return cards.stream().anyMatch(card -> card.isOf(lease))
        || before.stream()
            .anyMatch(
                given ->
                    given.address().equals(lease.address())
                        && given.namespace().equals(lease.namespace())
                        && given.virtualMachine().equals(lease.virtualMachine())
                        && given.network().equals(lease.network()));
  }

  private static List<Card> inOrder(Collection<Card> cards) {
    return cards.stream()
        .sorted(
            Comparator.comparing(Card::createdAt)
                .thenComparing(Card::uid)
                .thenComparing(Card::network))
        .toList();
  }

  /** What a card has, it keeps as long as it may want it. */
  private static boolean keeps(
      Card card, Lan lan, Collection<Lease> known, Map<String, Lease> given) {
    Optional<String> kept =
        known.stream()
            .filter(card::isOf)
            .map(Lease::address)
            .filter(address -> card.wanted().map(address::equals).orElse(true))
            .filter(address -> lan.objection(address).isEmpty())
            .filter(address -> !given.containsKey(address) || card.isOf(given.get(address)))
            .findFirst();
    kept.ifPresent(address -> given.put(address, card.lease(address)));
    return kept.isPresent();
  }

  /** Always true: it gets what it asks for, or a conflict. */
  private static boolean asks(
      Card card,
      String bridgeNetwork,
      Lan lan,
      Map<String, Lease> given,
      List<Conflict> conflicts) {
    String address = card.wanted().orElseThrow();
    Optional<String> objection = lan.objection(address);
    Lease owner = given.get(address);
    if (objection.isPresent()) {
      conflicts.add(
          card.conflict(
              NetworkReady.ADDRESS_NOT_USABLE,
              "%s %s: choose another address of BridgeNetwork/%s."
                  .formatted(address, objection.get(), bridgeNetwork)));
    } else if (owner != null && !isLeftTo(card, owner)) {
      conflicts.add(
          card.conflict(
              NetworkReady.ADDRESS_IN_USE,
              "%s is that of network %s of VirtualMachine %s/%s: choose another one, or delete that VM."
                  .formatted(address, owner.network(), owner.namespace(), owner.virtualMachine())));
    } else {
      given.put(address, card.lease(address));
    }
    return true;
  }

  /**
   * Of a pod alone, if at all: the VM's next one shall not have it, unless a card asks for it
   * again.
   */
  private static Lease onlyHeld(Lease lease) {
    return new Lease(
        lease.address(), lease.namespace(), lease.virtualMachine(), "", lease.network());
  }

  /** What another card of the same VM has had: there is never more than one pod of it. */
  private static boolean isLeftTo(Card card, Lease owner) {
    return owner.uid().isEmpty()
        && owner.namespace().equals(card.namespace())
        && owner.virtualMachine().equals(card.virtualMachine());
  }

  private static Conflict nothingLeft(Card card, String bridgeNetwork, Lan lan) {
    return lan.hasPool()
        ? card.conflict(
            NetworkReady.POOL_EXHAUSTED,
            "No address of the pool of BridgeNetwork/%s is left: enlarge its spec.pool, or delete VMs that have one."
                .formatted(bridgeNetwork))
        : card.conflict(
            NetworkReady.NO_POOL,
            "BridgeNetwork/%s has no spec.pool: set bridge.address, or bridge.dhcp: true if the LAN has a DHCP server."
                .formatted(bridgeNetwork));
  }
}
