package dev.qemuoperator.pod;

import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.AffinityBuilder;
import io.fabric8.kubernetes.api.model.NodeAffinity;
import io.fabric8.kubernetes.api.model.NodeSelector;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Keeps a pod to nodes by their names, on top of what its affinity demands already. */
final class NodeNames {

  private NodeNames() {}

  /**
   * A name stands in a term of its own, as Kubernetes takes no list of them there; of the terms one
   * must fit.
   *
   * @param affinity null: demands nothing
   * @param names at least one
   */
  static Affinity demand(Affinity affinity, Collection<String> names) {
    List<NodeSelectorTerm> terms =
        Optional.ofNullable(affinity)
            .map(Affinity::getNodeAffinity)
            .map(NodeAffinity::getRequiredDuringSchedulingIgnoredDuringExecution)
            .map(NodeSelector::getNodeSelectorTerms)
            .orElse(List.of(new NodeSelectorTerm()));
    List<NodeSelectorTerm> named =
        terms.stream()
            .flatMap(
                term ->
                    names.stream()
                        .map(
                            name ->
                                term.edit()
                                    .addNewMatchField()
                                    .withKey("metadata.name")
                                    .withOperator("In")
                                    .withValues(name)
                                    .endMatchField()
                                    .build()))
            .toList();
    return new AffinityBuilder(affinity == null ? new Affinity() : affinity)
        .editOrNewNodeAffinity()
        .withNewRequiredDuringSchedulingIgnoredDuringExecution()
        .withNodeSelectorTerms(named)
        .endRequiredDuringSchedulingIgnoredDuringExecution()
        .endNodeAffinity()
        .build();
  }
}
