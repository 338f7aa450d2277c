package dev.qemuoperator.machine;

import dev.qemuoperator.pki.CertificateAuthority;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;

/**
 * The operator's own certificate, made anew each day: not for each of the many dials of a start.
 */
final class OperatorIdentity implements Supplier<SSLContext> {

  private static final Duration RENEWAL = Duration.ofDays(1);

  private final CertificateAuthority authority;
  private final Clock clock;
  private SSLContext context;
  private Instant renewal = Instant.MIN;

  OperatorIdentity(CertificateAuthority authority, Clock clock) {
    this.authority = authority;
    this.clock = clock;
  }

  @Override
  public synchronized SSLContext get() {
    if (!clock.instant().isBefore(renewal)) {
      context = authority.operatorContext(clock);
      renewal = clock.instant().plus(RENEWAL);
    }
    return context;
  }
}
