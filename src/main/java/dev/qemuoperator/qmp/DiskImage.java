package dev.qemuoperator.qmp;

/**
 * What QEMU says of a disk and its file.
 *
 * @param backed whether it needs its base image: what was not written yet is read from there
 * @param copied percent, in steps of ten, of the base image's way into the disk; null unless it is
 *     being copied
 * @param base digest of the base image's file, {@code sha256:…}, by its path in the node's cache;
 *     null if it needs none
 * @param problem why the last copying ended before its end; null if it did not
 * @param size bytes, as the guest sees it
 * @param refusal why the disk did not grow when QEMU was told so last, in QEMU's words; null if it
 *     did, or was never told
 * @param corrupt whether QEMU has found damage in its tables, and writes no more to it
 */
public record DiskImage(
    boolean backed,
    Integer copied,
    String base,
    String problem,
    long size,
    String refusal,
    boolean corrupt) {

  /** Of a disk that QEMU has never told anything of. */
  static final DiskImage UNKNOWN = new DiskImage(false, null, null, null, 0, null, false);

  /** Whether anything but its damage is known of it. */
  public boolean isKnown() {
    return size > 0;
  }

  DiskImage asCorrupt() {
    return new DiskImage(backed, null, base, problem, size, refusal, true);
  }
}
