package dev.qemuoperator.qmp;

/**
 * QEMU announces that the watchdog resets the guest, and then the reset as if the guest had asked
 * for it. Given all events in their order, this gives the reset its reason.
 */
final class WatchdogReset {
  private boolean barked;

  /** The event itself, or with the reason {@code watchdog}. */
  Event attribute(Event event) {
    return switch (event.name()) {
      case "WATCHDOG" -> {
        barked = event.data().path("action").asText("").equals("reset");
        yield event;
      }
      case "RESET", "SHUTDOWN" -> {
        boolean its = barked && event.data().path("reason").asText("").equals("guest-reset");
        barked = false;
        yield its ? event.withReason(Shutdown.WATCHDOG) : event;
      }
      default -> event;
    };
  }
}
