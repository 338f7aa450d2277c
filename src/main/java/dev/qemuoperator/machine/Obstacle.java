package dev.qemuoperator.machine;

/**
 * Why a change that can be made while the guest runs has not been made; see {@link
 * dev.qemuoperator.api.VirtualMachineStatus.PendingChange}.
 */
record Obstacle(String reason, String message) {

  static final String QEMU_REFUSED = "QemuRefused";

  /** What QEMU refused it may be asked for again. */
  boolean isRefusalOfQemu() {
    return reason.equals(QEMU_REFUSED);
  }

  static Obstacle refusedByQemu(String words) {
    return new Obstacle(
        QEMU_REFUSED, "QEMU refused: %s. It is tried again every few minutes.".formatted(words));
  }
}
