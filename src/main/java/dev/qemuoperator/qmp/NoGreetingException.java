package dev.qemuoperator.qmp;

import java.io.IOException;
import java.io.Serial;

/**
 * The TLS handshake was fine, then QEMU closed the connection without a word. It does that to a
 * client whose certificate it does not accept or whose subject its authz object does not allow.
 */
public final class NoGreetingException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  NoGreetingException(IOException cause) {
    super("QEMU sent no greeting: not authorised, or another client is connected", cause);
  }
}
