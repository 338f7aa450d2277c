package dev.qemuoperator.machine;

import dev.qemuoperator.api.BridgeConditions;
import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkSpec;
import dev.qemuoperator.api.BridgeNetworkStatus;
import dev.qemuoperator.api.BridgeNetworkStatus.Conflict;
import dev.qemuoperator.api.BridgeNetworkStatus.Lease;
import dev.qemuoperator.api.Conditions.NetworkReady;
import dev.qemuoperator.api.Network;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.cloudinit.Nic.FixedAddress;
import dev.qemuoperator.pod.LanAddresses;
import dev.qemuoperator.pod.LanPlaces;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qemu.Hardware;
import dev.qemuoperator.qemu.IpAddresses;
import dev.qemuoperator.qemu.LanPort;
import dev.qemuoperator.status.ConditionList;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The network cards on LANs.
 *
 * @param places where they come onto their LANs
 * @param awaited why there can be no further pod yet
 */
record LanCards(LanPlaces places, Optional<Verdict> awaited) {

  static LanCards of(MachineInputs in) {
    Map<String, LanPort> ports = new LinkedHashMap<>();
    Optional<Verdict> awaited = Optional.empty();
    for (Network card : of(in.spec()).toList()) {
      Optional<BridgeNetwork> network = network(in, card);
      Optional<String> address = network.flatMap(lan -> address(in, lan, card));
      Optional<Verdict> obstacle =
          network.isEmpty()
              ? Optional.of(notFound(card))
              : notAllowed(in, network.get(), card)
                  .or(
                      () ->
                          address.isEmpty()
                              ? noAddress(in, network.get(), card)
                              : Optional.empty());
      if (obstacle.isEmpty()) {
        ports.put(card.name(), port(network.get().getSpec(), address));
      }
      awaited = awaited.or(() -> obstacle);
    }
    Optional<SortedSet<String>> nodes = LanNodes.of(in);
    Optional<Verdict> noNode = nodes.filter(SortedSet::isEmpty).map(none -> LanNodes.problem(in));
    return new LanCards(new LanPlaces(ports, nodes), awaited.or(() -> noNode));
  }

  /** Whether each card has what it is to have on its LAN, whichever nodes that may be on. */
  boolean areKnown(MachineInputs in) {
    return of(in.spec()).allMatch(card -> places.ports().containsKey(card.name()));
  }

  /** The BridgeNetworks of a VM. */
  static Set<String> named(VirtualMachine vm) {
    return of(vm.getSpec()).map(card -> card.bridge().network()).collect(Collectors.toSet());
  }

  /** How many addresses are free is not the VMs' business. */
  static Object facts(BridgeNetwork network) {
    return Stream.concat(
            Stream.of(network.getMetadata().getUid(), network.getSpec()),
            Stream.ofNullable(network.getStatus())
                .flatMap(
                    status ->
                        Stream.of(
                            Optional.ofNullable(status.conditions()),
                            Optional.ofNullable(status.nodes()),
                            Optional.ofNullable(status.addresses()),
                            Optional.ofNullable(status.conflicts()))))
        .toList();
  }

  static Stream<Network> of(VirtualMachineSpec spec) {
    return Hardware.networks(spec).stream().filter(card -> card.bridge() != null);
  }

  /** The LAN of a card. */
  static Optional<BridgeNetwork> network(MachineInputs in, Network card) {
    return Optional.ofNullable(card.bridge())
        .map(bridge -> in.bridgeNetworks().get(bridge.network()));
  }

  /** What the pod was made with on this LAN; the spec may ask for another address since. */
  static Optional<String> held(MachineInputs in, Network card) {
    return in.pod().map(PodFacts::pod).map(LanAddresses::of).stream()
        .flatMap(List::stream)
        .filter(held -> held.network().equals(card.name()))
        .filter(held -> held.bridgeNetwork().equals(card.bridge().network()))
        .map(LanAddresses.Held::address)
        .findFirst();
  }

  /**
   * What cloud-init tells the guest of an address that it does not ask for. As long as there is a
   * pod it is the pod's: its container may start again.
   */
  Optional<FixedAddress> fixed(MachineInputs in, Network card) {
    return Optional.ofNullable(places.ports().get(card.name()))
        .flatMap(LanPort::address)
        .map(address -> held(in, card).orElse(address))
        .map(address -> fixed(network(in, card).orElseThrow().getSpec(), address));
  }

  private static FixedAddress fixed(BridgeNetworkSpec lan, String address) {
    return new FixedAddress(
        address + lan.cidr().substring(lan.cidr().indexOf('/')),
        Optional.ofNullable(lan.gateway()),
        Objects.requireNonNullElse(lan.dns(), List.of()),
        Objects.requireNonNullElse(lan.searchDomains(), List.of()));
  }

  private static LanPort port(BridgeNetworkSpec lan, Optional<String> address) {
    return new LanPort(
        lan.bridge(), Optional.ofNullable(lan.vlan()), Optional.ofNullable(lan.mtu()), address);
  }

  /** The address that the LAN has given to a card of this very VM. */
  static Optional<String> address(MachineInputs in, BridgeNetwork lan, Network card) {
    return told(lan, BridgeNetworkStatus::addresses)
        .filter(lease -> lease.uid().equals(in.identity().uid()))
        .filter(lease -> lease.network().equals(card.name()))
        .map(Lease::address)
        // one that a pod still has may be another one
        .filter(address -> isWanted(card, address))
        .findFirst();
  }

  /** The one that a card has on its LAN, or will have. */
  static Optional<String> given(MachineInputs in, Network card) {
    return held(in, card).or(() -> network(in, card).flatMap(lan -> address(in, lan, card)));
  }

  private static boolean isWanted(Network card, String address) {
    return card.bridge().isLeased()
        && (card.bridge().address() == null || sameAddress(card.bridge().address(), address));
  }

  /** An IPv6 address can be written in many ways. */
  static boolean sameAddress(String one, String other) {
    return IpAddresses.parse(one).equals(IpAddresses.parse(other));
  }

  private static <T> Stream<T> told(
      BridgeNetwork lan, Function<BridgeNetworkStatus, List<T>> list) {
    return Stream.ofNullable(lan.getStatus())
        .flatMap(status -> Stream.ofNullable(list.apply(status)))
        .flatMap(List::stream);
  }

  private static Verdict notFound(Network card) {
    return Verdict.no(
        NetworkReady.BRIDGE_NETWORK_NOT_FOUND,
        "%s: there is no BridgeNetwork/%s. Create it, or name another one (kubectl get qbn lists them)."
            .formatted(title(card), card.bridge().network()));
  }

  private static Optional<Verdict> notAllowed(MachineInputs in, BridgeNetwork lan, Network card) {
    return Optional.of(in.identity().namespace())
        .filter(namespace -> !lan.getSpec().allows(namespace))
        .map(
            namespace ->
                Verdict.no(
                    NetworkReady.NAMESPACE_NOT_ALLOWED,
                    "%s: BridgeNetwork/%s is not for the namespace %s. Ask whoever looks after it to add that to its spec.allowedNamespaces, or use another network."
                        .formatted(title(card), card.bridge().network(), namespace)));
  }

  private static Optional<Verdict> noAddress(MachineInputs in, BridgeNetwork lan, Network card) {
    return card.bridge().isLeased()
        ? invalid(lan, card).or(() -> refused(in, lan, card)).or(() -> Optional.of(asked(card)))
        : Optional.empty();
  }

  private static Optional<Verdict> invalid(BridgeNetwork lan, Network card) {
    return Optional.ofNullable(lan.getStatus())
        .map(BridgeNetworkStatus::conditions)
        .flatMap(conditions -> ConditionList.find(conditions, BridgeConditions.Ready.TYPE))
        .filter(ready -> ready.getReason().equals(BridgeConditions.Ready.INVALID))
        .map(Condition::getMessage)
        .map(
            message ->
                Verdict.no(
                    NetworkReady.BRIDGE_NETWORK_INVALID,
                    "%s: BridgeNetwork/%s: %s"
                        .formatted(title(card), card.bridge().network(), message)));
  }

  private static Optional<Verdict> refused(MachineInputs in, BridgeNetwork lan, Network card) {
    return told(lan, BridgeNetworkStatus::conflicts)
        .filter(conflict -> conflict.uid().equals(in.identity().uid()))
        .filter(conflict -> conflict.network().equals(card.name()))
        .filter(conflict -> asksFor(card, conflict))
        .map(
            conflict ->
                Verdict.no(conflict.reason(), "%s: %s".formatted(title(card), conflict.message())))
        .findFirst();
  }

  /** Of an older spec it says nothing any more. */
  private static boolean asksFor(Network card, Conflict conflict) {
    return conflict.address() == null || card.bridge().address() == null
        ? Objects.equals(conflict.address(), card.bridge().address())
        : sameAddress(conflict.address(), card.bridge().address());
  }

  private static Verdict asked(Network card) {
    return Verdict.no(
        NetworkReady.AWAITING_ADDRESS,
        "%s: BridgeNetwork/%s has not told its address yet."
            .formatted(title(card), card.bridge().network()));
  }

  static String title(Network card) {
    return "Network " + card.name();
  }
}
