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

  static IoError of(Event event) {
    return new IoError(
        event.data().path("node-name").asText(""),
        event.data().path("nospace").asBoolean(),
        event.data().path("operation").asText(""),
        event.data().path("reason").asText(""));
  }
}
