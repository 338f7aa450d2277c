package dev.qemuoperator.qmp;

import java.time.Instant;
import java.util.Optional;

/**
 * Why a guest's run ends, in QEMU's words.
 *
 * @param byGuest whether the guest itself asked for it
 * @param reason QEMU's ShutdownCause: {@code guest-shutdown}, {@code guest-reset}, {@code
 *     guest-panic}, {@code host-signal}, {@code host-qmp-quit}, {@code host-error} …; {@code
 *     watchdog}, too, for a watchdog that powers off
 * @param at by the clock of QEMU's node; null in an event log line without a time
 */
public record Shutdown(boolean byGuest, String reason, Instant at) {
  static final String GUEST_PANIC = "guest-panic";

  static final String WATCHDOG = "watchdog";

  /**
   * What the event tells of an end: SHUTDOWN does; a panic, which may stay without one; and a
   * watchdog that powers off, upon which QEMU exits without one.
   */
  static Optional<Shutdown> of(Event event) {
    return switch (event.name()) {
      case "SHUTDOWN" ->
          Optional.of(
              new Shutdown(
                  event.data().path("guest").asBoolean(),
                  event.data().path("reason").asText("none"),
                  event.at()));
      case "GUEST_PANICKED" -> Optional.of(new Shutdown(true, GUEST_PANIC, event.at()));
      case "WATCHDOG" ->
          event.data().path("action").asText().equals("poweroff")
              ? Optional.of(new Shutdown(false, WATCHDOG, event.at()))
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  /** The earliest event of one cause gives the time; another cause replaces it. */
  static Shutdown later(Shutdown known, Shutdown next) {
    boolean same =
        known != null && known.byGuest == next.byGuest && known.reason.equals(next.reason);
    return same ? known : next;
  }
}
