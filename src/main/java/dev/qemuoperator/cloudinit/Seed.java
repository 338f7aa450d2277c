package dev.qemuoperator.cloudinit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The files of the seed disk, for the datasource
 * https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html.
 *
 * @param files {@code meta-data}, {@code network-config}, {@code user-data}, {@code vendor-data}:
 *     always all four, because NoCloud does not accept a disk without user-data and meta-data
 * @param hash the first 20 hex digits of the SHA-256 of what {@code sha256sum -- *} prints in the
 *     directory of these files; the pod puts the same into the serial number of the seed disk
 * @param instanceId changes if and only if anything else in the files does, but for the script by
 *     which the operator learns of the end of cloud-init; on a new one cloud-init runs its
 *     once-per-instance modules again
 * @param origins each origin with a short hash of what it contributed
 */
public record Seed(
    SortedMap<String, String> files,
    String hash,
    String instanceId,
    SortedMap<String, String> origins) {

  public Seed {
    files = Collections.unmodifiableSortedMap(new TreeMap<>(files));
    origins = Collections.unmodifiableSortedMap(new TreeMap<>(origins));
  }

  /** What differs between two {@link #origins}: {@code ConfigMap/base changed}, {@code … added}. */
  public static List<String> changes(
      SortedMap<String, String> booted, SortedMap<String, String> desired) {
    var all = new TreeSet<>(booted.keySet());
    all.addAll(desired.keySet());
    var changes = new ArrayList<String>();
    for (String origin : all) {
      if (!booted.containsKey(origin)) {
        changes.add(origin + " added");
      } else if (!desired.containsKey(origin)) {
        changes.add(origin + " removed");
      } else if (!booted.get(origin).equals(desired.get(origin))) {
        changes.add(origin + " changed");
      }
    }
    return changes;
  }

  static String hash(SortedMap<String, String> files) {
    var sums = new StringBuilder();
    files.forEach((name, text) -> sums.append(sha256(text)).append("  ").append(name).append('\n'));
    return sha256(sums.toString()).substring(0, 20);
  }

  static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
