package dev.qemuoperator.pod;

import dev.qemuoperator.qemu.LanPort;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;

/**
 * Where the cards of a VM come onto their LANs.
 *
 * @param ports by the card's name; without those that cannot yet
 * @param nodes that have all these LANs; empty: any, as there is no such card
 */
public record LanPlaces(Map<String, LanPort> ports, Optional<SortedSet<String>> nodes) {

  /** On a pod: to which nodes it is kept. */
  static final String ANNOTATION = "qemu-operator.dev/nodes";

  Map<String, String> annotations() {
    return nodes.map(names -> Map.of(ANNOTATION, Hash.of(names))).orElse(Map.of());
  }
}
