package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkStatus.Lease;
import dev.qemuoperator.api.Network;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.network.Leases.Card;
import dev.qemuoperator.pod.LanAddresses;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.EventLog;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The network cards on LANs: of VMs, which want addresses, and of pods, which have them. */
final class Cards {

  /** Reasons of the runner's script bridge that a look at the node may show as well. */
  private static final Set<String> NODE_PROBLEMS =
      Set.of("BridgeMissing", "MTUMismatch", "BridgeFailed");

  private final InformerEventSource<VirtualMachine, BridgeNetwork> machines;
  private final InformerEventSource<Pod, BridgeNetwork> pods;

  /**
   * Of all namespaces, whichever this operator runs VMs of: a LAN belongs to none. What has left a
   * network tells all: there are few, and each counts for itself.
   */
  Cards(EventSourceContext<BridgeNetwork> context) {
    machines =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(VirtualMachine.class, BridgeNetwork.class)
                .withWatchAllNamespaces()
                .withOnUpdateFilter(
                    (now, before) ->
                        !identified(now, bridged(now)).equals(identified(before, bridged(before))))
                .withSecondaryToPrimaryMapper(vm -> all(context))
                .build(),
            context);
    pods =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Pod.class, BridgeNetwork.class)
                .withName("pods-on-lans")
                .withWatchAllNamespaces()
                .withLabelSelector(
                    LanAddresses.LABELS.entrySet().stream()
                        .map(label -> label.getKey() + "=" + label.getValue())
                        .collect(Collectors.joining(",")))
                .withOnUpdateFilter(
                    (now, before) ->
                        !identified(now, facts(now)).equals(identified(before, facts(before))))
                .withSecondaryToPrimaryMapper(pod -> all(context))
                .build(),
            context);
  }

  private static Object facts(Pod pod) {
    return List.of(LanAddresses.of(pod), refusal(pod));
  }

  /**
   * That QEMU's container could not use a bridge of its node.
   *
   * @param network name of the card
   */
  private record Refusal(String network, Instant at) {}

  private static Optional<Refusal> refusal(Pod pod) {
    return new PodFacts(pod)
        .lastTermination()
        .flatMap(
            end ->
                EventLog.parse(end.getMessage())
                    .wrapperFailure()
                    .filter(failure -> NODE_PROBLEMS.contains(failure.reason()))
                    .map(
                        failure ->
                            new Refusal(failure.network(), Instant.parse(end.getFinishedAt()))));
  }

  /** When a VM on a LAN last could not use the bridge of a node, by node. */
  Map<String, Instant> refusals(HasMetadata bridgeNetwork) {
    Map<String, Instant> refusals = new HashMap<>();
    pods.list()
        .filter(pod -> pod.getSpec().getNodeName() != null)
        .forEach(
            pod ->
                refusal(pod)
                    .filter(refusal -> isOfA(pod, refusal.network(), bridgeNetwork))
                    .ifPresent(
                        refusal ->
                            refusals.merge(
                                pod.getSpec().getNodeName(),
                                refusal.at(),
                                (one, other) -> one.isAfter(other) ? one : other)));
    return refusals;
  }

  /** Whoever may make pods can write on one what he likes: it must be of a VM on this LAN. */
  private boolean isOfA(Pod pod, String network, HasMetadata bridgeNetwork) {
    Set<String> owners =
        pod.getMetadata().getOwnerReferences().stream()
            .map(OwnerReference::getUid)
            .collect(Collectors.toSet());
    return machines
        .list()
        .filter(vm -> owners.contains(vm.getMetadata().getUid()))
        .flatMap(vm -> bridged(vm).stream())
        .anyMatch(
            card ->
                card.name().equals(network)
                    && card.bridge().network().equals(bridgeNetwork.getMetadata().getName()));
  }

  /** What is made anew under the same name may come as a change. */
  private static List<Object> identified(HasMetadata object, Object facts) {
    return List.of(object.getMetadata().getUid(), facts);
  }

  private static Set<ResourceID> all(EventSourceContext<BridgeNetwork> context) {
    return context
        .getPrimaryCache()
        .list()
        .map(ResourceID::fromResource)
        .collect(Collectors.toSet());
  }

  List<EventSource<?, BridgeNetwork>> eventSources() {
    return List.of(machines, pods);
  }

  /** Those that want an address of a LAN. */
  List<Card> on(HasMetadata bridgeNetwork) {
    return machines.list().flatMap(vm -> of(vm, bridgeNetwork.getMetadata().getName())).toList();
  }

  static Stream<Card> of(VirtualMachine vm, String bridgeNetwork) {
    return bridged(vm).stream()
        .filter(network -> network.bridge().network().equals(bridgeNetwork))
        .filter(network -> network.bridge().isLeased())
        .map(network -> card(vm, network));
  }

  private static List<Network> bridged(VirtualMachine vm) {
    return Stream.ofNullable(vm.getSpec().networks())
        .flatMap(List::stream)
        .filter(network -> network.bridge() != null)
        .toList();
  }

  private static Card card(VirtualMachine vm, Network network) {
    ObjectMeta meta = vm.getMetadata();
    return new Card(
        meta.getNamespace(),
        meta.getName(),
        meta.getUid(),
        network.name(),
        Optional.ofNullable(network.bridge().address())
            .map(address -> Lan.canonical(address).orElse(address)),
        known(vm, network.name()),
        meta.getCreationTimestamp());
  }

  /** It outlives a BridgeNetwork that is deleted and made anew. */
  private static Optional<String> known(VirtualMachine vm, String network) {
    return Optional.ofNullable(vm.getStatus()).map(VirtualMachineStatus::networks).stream()
        .flatMap(List::stream)
        .filter(told -> told.name().equals(network))
        // a guest may say what it likes
        .filter(told -> !VirtualMachineStatus.Network.GUEST.equals(told.source()))
        .flatMap(told -> Objects.requireNonNullElse(told.addresses(), List.<String>of()).stream())
        .findFirst();
  }

  /** What pods that are there have of a LAN. */
  List<Lease> held(HasMetadata bridgeNetwork) {
    return pods.list().flatMap(pod -> held(pod, bridgeNetwork.getMetadata().getName())).toList();
  }

  static Stream<Lease> held(Pod pod, String bridgeNetwork) {
    ObjectMeta meta = pod.getMetadata();
    return LanAddresses.of(pod).stream()
        .filter(held -> held.bridgeNetwork().equals(bridgeNetwork))
        .filter(held -> Lan.canonical(held.address()).isPresent())
        .map(
            held ->
                new Lease(
                    held.address(),
                    meta.getNamespace(),
                    meta.getLabels().getOrDefault(Ownership.VM_LABEL, meta.getName()),
                    meta.getOwnerReferences().stream()
                        .map(OwnerReference::getUid)
                        .findFirst()
                        .orElse(""),
                    held.network()));
  }
}
