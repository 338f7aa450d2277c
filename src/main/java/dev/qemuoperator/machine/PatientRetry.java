package dev.qemuoperator.machine;

import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import java.time.Duration;

/**
 * Tries again until it works, at first after a second, later once a minute: the API server may be
 * away for longer than any number of attempts, and nobody would come back to a VM given up.
 */
public final class PatientRetry extends GenericRetry {

  public PatientRetry() {
    setInitialInterval(Duration.ofSeconds(1));
    setIntervalMultiplier(2);
    setMaxInterval(Duration.ofMinutes(1).toMillis());
    withoutMaxAttempts();
  }
}
