package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.javaoperatorsdk.operator.processing.retry.RetryExecution;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PatientRetryTest {

  @Test
  void neverGivesUpAndWaitsAMinuteAtMost() {
    RetryExecution execution = new PatientRetry().initExecution();
    for (int attempt = 0; attempt < 1000; attempt++) {
      Optional<Long> delay = execution.nextDelay();
      assertThat(delay).isPresent();
      assertThat(delay.get()).isBetween(1000L, 60_000L);
    }
  }
}
