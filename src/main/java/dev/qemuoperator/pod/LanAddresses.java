package dev.qemuoperator.pod;

import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.qemu.Hardware;
import dev.qemuoperator.qemu.LanPort;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The addresses on LANs that a pod was made with, as it says itself as long as it is there. */
public final class LanAddresses {

  /** On each pod with a card on a LAN, also if that has no address of it. */
  public static final Map<String, String> LABELS = Map.of("qemu-operator.dev/on-a-lan", "true");

  private static final String ANNOTATION = "qemu-operator.dev/lan-addresses";

  private LanAddresses() {}

  /**
   * An address of a card.
   *
   * @param bridgeNetwork by name
   * @param network name of the card
   */
  public record Held(String bridgeNetwork, String network, String address) {

    private String text() {
      return bridgeNetwork + "/" + network + "=" + address;
    }

    private static Optional<Held> parse(String text) {
      String[] parts = text.split("[/=]");
      return parts.length == 3
          ? Optional.of(new Held(parts[0], parts[1], parts[2]))
          : Optional.empty();
    }
  }

  static Map<String, String> annotations(VirtualMachineSpec spec, Map<String, LanPort> ports) {
    String text = held(spec, ports).map(Held::text).collect(Collectors.joining(" "));
    return text.isEmpty() ? Map.of() : Map.of(ANNOTATION, text);
  }

  static Map<String, String> labels(VirtualMachineSpec spec) {
    return Hardware.networks(spec).stream().anyMatch(card -> card.bridge() != null)
        ? LABELS
        : Map.of();
  }

  private static Stream<Held> held(VirtualMachineSpec spec, Map<String, LanPort> ports) {
    return Hardware.networks(spec).stream()
        .filter(card -> ports.containsKey(card.name()))
        .flatMap(
            card ->
                ports.get(card.name()).address().stream()
                    .map(address -> new Held(card.bridge().network(), card.name(), address)));
  }

  public static List<Held> of(Pod pod) {
    return Stream.ofNullable(pod.getMetadata().getAnnotations())
        .flatMap(annotations -> Stream.ofNullable(annotations.get(ANNOTATION)))
        .flatMap(text -> Stream.of(text.split(" ")))
        .flatMap(text -> Held.parse(text).stream())
        .toList();
  }
}
