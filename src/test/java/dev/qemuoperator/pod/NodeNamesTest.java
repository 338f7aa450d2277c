package dev.qemuoperator.pod;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.AffinityBuilder;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import java.util.List;
import org.junit.jupiter.api.Test;

class NodeNamesTest {

  private static List<NodeSelectorTerm> terms(Affinity affinity) {
    return affinity
        .getNodeAffinity()
        .getRequiredDuringSchedulingIgnoredDuringExecution()
        .getNodeSelectorTerms();
  }

  private static String text(NodeSelectorTerm term) {
    String labels =
        String.join(",", term.getMatchExpressions().stream().map(one -> one.getKey()).toList());
    return labels + "@" + String.join(",", term.getMatchFields().getFirst().getValues());
  }

  @Test
  void eachNameIsATermOfItsOwn() {
    assertThat(terms(NodeNames.demand(null, List.of("n1", "n2"))))
        .extracting(NodeNamesTest::text)
        .containsExactly("@n1", "@n2");
  }

  @Test
  void whatTheUserDemandsHoldsOnEachOfTheNodes() {
    // @formatter:off
    Affinity users =
        new AffinityBuilder()
            .withNewPodAntiAffinity().endPodAntiAffinity()
            .withNewNodeAffinity()
              .withNewRequiredDuringSchedulingIgnoredDuringExecution()
                .addNewNodeSelectorTerm()
                  .addNewMatchExpression().withKey("a").withOperator("Exists").endMatchExpression()
                .endNodeSelectorTerm()
                .addNewNodeSelectorTerm()
                  .addNewMatchExpression().withKey("b").withOperator("Exists").endMatchExpression()
                .endNodeSelectorTerm()
              .endRequiredDuringSchedulingIgnoredDuringExecution()
            .endNodeAffinity()
            .build();
    // @formatter:on
    Affinity both = NodeNames.demand(users, List.of("n1", "n2"));
    assertThat(terms(both))
        .extracting(NodeNamesTest::text)
        .containsExactly("a@n1", "a@n2", "b@n1", "b@n2");
    assertThat(both.getPodAntiAffinity()).isNotNull();
    assertThat(terms(users)).as("the user's own").hasSize(2);
  }
}
