package dev.qemuoperator.qmp;

/**
 * What is to be in a CD-ROM drive.
 *
 * @param node name of QEMU's block node of it, at most 31 characters, see {@link CdromDrive#medium}
 * @param digest {@code sha256:…} of its file in the node's cache
 */
public record Medium(String node, String digest) {

  /** Of each node of a medium that was put in while the guest runs. */
  public static final String PREFIX = "medium-";
}
