package dev.qemuoperator.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConditionListTest {

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00.987Z");
  private static final Instant LATER = NOON.plusSeconds(60);

  @Test
  void newConditionBeginsNowInWholeSeconds() {
    Condition condition = pass(List.of(), Verdict.yes("Fine", "All is well."), NOON);
    assertThat(condition.getLastTransitionTime()).isEqualTo("2026-01-01T12:00:00Z");
  }

  @Test
  void otherReasonIsNoTransition() {
    Condition before = pass(List.of(), Verdict.no("Fetching", "10 %"), NOON);
    Condition after = pass(List.of(before), Verdict.no("Failed", "Gone."), LATER);
    assertThat(after.getReason()).isEqualTo("Failed");
    assertThat(after.getLastTransitionTime()).isEqualTo(before.getLastTransitionTime());
  }

  @Test
  void flipIsATransition() {
    Condition before = pass(List.of(), Verdict.no("Fetching", "10 %"), NOON);
    assertThat(pass(List.of(before), Verdict.yes("Ready", ""), LATER).getLastTransitionTime())
        .isEqualTo("2026-01-01T12:01:00Z");
    assertThat(pass(List.of(before), Verdict.unknown("Lost", ""), LATER).getLastTransitionTime())
        .isEqualTo("2026-01-01T12:01:00Z");
  }

  @Test
  void unchangedVerdictGivesAnEqualCondition() {
    Condition before = pass(List.of(), Verdict.yes("Fine", "All is well."), NOON);
    assertThat(pass(List.of(before), Verdict.yes("Fine", "All is well."), LATER)).isEqualTo(before);
  }

  @Test
  void conditionsStandInTheOrderOfTheVerdicts() {
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    List.of("Zebra", "Ant", "Mole").forEach(type -> verdicts.put(type, Verdict.yes("Fine", "")));
    assertThat(ConditionList.of(verdicts, List.of(), 1, NOON))
        .extracting(Condition::getType)
        .containsExactly("Zebra", "Ant", "Mole");
  }

  @Test
  void endlessMessageIsCut() {
    assertThat(Verdict.no("Failed", "x".repeat(10_000)).message()).hasSize(4096).endsWith("…");
  }

  private static Condition pass(List<Condition> before, Verdict verdict, Instant now) {
    return ConditionList.of(Map.of("Running", verdict), before, 7, now).getFirst();
  }
}
