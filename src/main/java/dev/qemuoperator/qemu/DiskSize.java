package dev.qemuoperator.qemu;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * Size of a disk. QEMU's disks are whole sectors of 512 bytes.
 *
 * @param bytes as the guest sees it
 */
public record DiskSize(long bytes) implements Comparable<DiskSize> {

  private static final long SECTOR = 512;
  private static final long MEBIBYTE = 1024L * 1024;

  /**
   * QEMU's tables take an 8000th of what a disk has been filled with: twice that, and then some.
   */
  private static final long DATA_PER_TABLES = 4096;

  private static final long OTHER_TABLES = 4 * MEBIBYTE;

  /** What is asked for beyond the last sector is rounded up. */
  public static DiskSize of(Quantity wanted) {
    return new DiskSize(Math.ceilDiv(bytes(wanted), SECTOR) * SECTOR);
  }

  /** The largest disk that is no larger than its volume. */
  public static DiskSize within(Quantity volume) {
    return new DiskSize(bytes(volume) / SECTOR * SECTOR);
  }

  /** The largest disk that fits, when it is full, on a volume that is nothing but the disk. */
  public static DiskSize onDevice(Quantity volume) {
    long room = bytes(volume) - OTHER_TABLES;
    long data = room - Math.ceilDiv(room, DATA_PER_TABLES + 1);
    return new DiskSize(Math.max(0, data / SECTOR * SECTOR));
  }

  /** What a volume must have to hold this disk, when it is full, and nothing but the disk. */
  public Quantity device() {
    long needed = bytes + Math.ceilDiv(bytes, DATA_PER_TABLES) + OTHER_TABLES;
    return new Quantity(Math.ceilDiv(needed, MEBIBYTE) + "Mi");
  }

  private static long bytes(Quantity quantity) {
    return quantity.getNumericalAmount().toBigInteger().longValue();
  }

  /** Exactly this size, in the unit that makes it the shortest whole number. */
  public Quantity quantity() {
    return Stream.of("", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti")
        .map(unit -> Quantity.fromNumericalAmount(BigDecimal.valueOf(bytes), unit))
        .filter(quantity -> !quantity.getAmount().contains("."))
        .min(Comparator.comparingInt(quantity -> quantity.toString().length()))
        .orElseThrow(() -> new IllegalStateException("it is a whole number of bytes"));
  }

  @Override
  public int compareTo(DiskSize other) {
    return Long.compare(bytes, other.bytes);
  }
}
