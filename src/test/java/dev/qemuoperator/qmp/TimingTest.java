package dev.qemuoperator.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimingTest {

  @Test
  void whileQemuMayStillBeStartingItIsTriedEveryQuarterOfASecond() {
    assertThat(pauses(Duration.ofSeconds(4), 5)).containsExactly(100L, 200L, 250L, 250L, 250L);
  }

  @Test
  void laterThePauseDoublesUpToFiveSeconds() {
    assertThat(pauses(Duration.ofSeconds(5), 8))
        .containsExactly(100L, 200L, 400L, 800L, 1600L, 3200L, 5000L, 5000L);
  }

  private static List<Long> pauses(Duration age, int failures) {
    List<Long> pauses = new ArrayList<>();
    Duration pause = Duration.ZERO;
    for (int failure = 0; failure < failures; failure++) {
      pause = Timing.DEFAULT.pauseAfter(pause, age);
      pauses.add(pause.toMillis());
    }
    return pauses;
  }
}
