package dev.qemuoperator.image;

import dev.qemuoperator.api.VirtualMachineImageStatus.Node;
import dev.qemuoperator.image.Users.Use;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** On which nodes an image is, as far as pods that fetched it and VMs that run from it tell. */
final class Presence {

  private Presence() {}

  /**
   * @param prePulled what the nodes of spec.prePull have, by name
   */
  static List<Node> of(
      Resolution resolution, PrePull prePull, Map<String, Node> prePulled, Collection<Use> uses) {
    Set<String> digests =
        Stream.concat(resolution.digest().stream(), prePull.fetched()).collect(Collectors.toSet());
    Map<String, Node> nodes = new TreeMap<>(prePulled);
    for (Use use : uses) {
      told(use, digests)
          .filter(
              node -> node.state().equals(PrePull.PRESENT) || !prePulled.containsKey(node.name()))
          // of several VMs on a node, one that has it is enough
          .ifPresent(
              node ->
                  nodes.merge(
                      node.name(),
                      node,
                      (one, other) -> one.state().equals(PrePull.PRESENT) ? one : other));
    }
    return List.copyOf(nodes.values());
  }

  /** A disk may have been made from what the image was before a refresh: that tells nothing. */
  private static Optional<Node> told(Use use, Set<String> digests) {
    return use.node()
        .flatMap(
            node ->
                use.fetched()
                    .map(progress -> new Node(node, PrePull.FETCHING, progress, null, null))
                    .or(
                        () ->
                            use.digest()
                                .filter(digest -> digests.isEmpty() || digests.contains(digest))
                                .map(digest -> new Node(node, PrePull.PRESENT, null, null, null))));
  }
}
