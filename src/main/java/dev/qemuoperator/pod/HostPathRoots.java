package dev.qemuoperator.pod;

import dev.qemuoperator.api.HostPathRoot;
import dev.qemuoperator.api.HostPathRootSpec;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The HostPathRoots of the cluster.
 *
 * @param byName all of them
 */
public record HostPathRoots(Map<String, Root> byName) {

  public static final HostPathRoots NONE = new HostPathRoots(Map.of());

  /**
   * One of them.
   *
   * @param deleting nothing new may be made from it
   */
  public record Root(HostPathRootSpec spec, boolean deleting) {}

  public static HostPathRoots of(Stream<HostPathRoot> roots) {
    return new HostPathRoots(
        roots.collect(
            Collectors.toMap(
                root -> root.getMetadata().getName(),
                root -> new Root(root.getSpec(), root.isMarkedForDeletion()))));
  }

  Optional<HostPathRootSpec> usable(String name) {
    return Optional.ofNullable(byName.get(name)).filter(root -> !root.deleting()).map(Root::spec);
  }

  /** Why it cannot be used, and what to do. */
  public Optional<String> problem(String name) {
    if (usable(name).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        byName.containsKey(name)
            ? "HostPathRoot/%s is being deleted; name another one".formatted(name)
            : "there is no HostPathRoot/%s; create it, or name another one (kubectl get hpr lists them)"
                .formatted(name));
  }
}
