package dev.qemuoperator.qmp;

/**
 * What QEMU says of a CD-ROM drive.
 *
 * @param medium name of the block node of what is in it: {@code cdrom-NAME} of what it was started
 *     with, else that of {@link Medium#node}; null if it is empty
 * @param digest of the medium's file, {@code sha256:…}, by its path in the node's cache; null if it
 *     is empty
 * @param locked whether the guest has been asked to let the medium go, and holds it
 * @param refusal why the medium was not changed when QEMU was told so last, in QEMU's words; null
 *     if it was, or QEMU was never told
 */
public record CdromDrive(String medium, String digest, boolean locked, String refusal) {}
