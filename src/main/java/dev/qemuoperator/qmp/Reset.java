package dev.qemuoperator.qmp;

import java.time.Instant;
import java.util.Optional;

/**
 * The guest starts anew inside the same process.
 *
 * @param reason {@code guest-reset}: the guest rebooted; {@code host-qmp-system-reset}: the monitor
 *     was told to; {@code watchdog}
 * @param at by the clock of QEMU's node, or when it was heard
 */
public record Reset(String reason, Instant at) {

  /** Empty if the event is no reset. */
  static Optional<Reset> of(Event event, Instant now) {
    return Optional.of(event)
        .filter(e -> e.name().equals("RESET"))
        .map(
            e ->
                new Reset(
                    e.data().path("reason").asText(""), Optional.ofNullable(e.at()).orElse(now)));
  }
}
