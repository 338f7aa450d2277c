package dev.qemuoperator.qmp;

/**
 * QEMU's event BLOCK_IO_ERROR: a disk could not read or write, and the guest waits.
 *
 * @param node the block node, {@code disk-NAME} for a disk
 * @param noSpace whether its volume is full
 * @param operation {@code read} or {@code write}
 * @param reason the host's words, such as {@code No space left on device}
 */
public record IoError(String node, boolean noSpace, String operation, String reason) {

  /** Disks report a failed read to the guest, which goes on; a failed write stops it. */
  static boolean stops(Event event) {
    return event.name().equals("BLOCK_IO_ERROR")
        && event.data().path("action").asText("").equals("stop");
  }

  static IoError of(Event event) {
    return new IoError(
        event.data().path("node-name").asText(""),
        event.data().path("nospace").asBoolean(),
        event.data().path("operation").asText(""),
        event.data().path("reason").asText(""));
  }
}
