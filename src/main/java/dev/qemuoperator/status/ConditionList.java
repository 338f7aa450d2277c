package dev.qemuoperator.status;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Conditions from verdicts; a transition time moves only when the status flips. */
public final class ConditionList {

  private ConditionList() {}

  /**
   * @param verdicts by condition type, in the order in which they shall stand
   * @param previous the conditions of the last pass, for their transition times alone
   */
  public static List<Condition> of(
      Map<String, Verdict> verdicts, List<Condition> previous, long generation, Instant now) {
    return verdicts.entrySet().stream()
        .map(entry -> condition(entry.getKey(), entry.getValue(), previous, generation, now))
        .toList();
  }

  private static Condition condition(
      String type, Verdict verdict, List<Condition> previous, long generation, Instant now) {
    String since =
        find(previous, type)
            .filter(before -> verdict.status().equals(before.getStatus()))
            .map(Condition::getLastTransitionTime)
            .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString());
    return new ConditionBuilder()
        .withType(type)
        .withStatus(verdict.status())
        .withReason(verdict.reason())
        .withMessage(verdict.message())
        .withObservedGeneration(generation)
        .withLastTransitionTime(since)
        .build();
  }

  public static Optional<Condition> find(List<Condition> conditions, String type) {
    return conditions.stream().filter(c -> type.equals(c.getType())).findFirst();
  }
}
