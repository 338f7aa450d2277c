package dev.qemuoperator.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * The media in a guest's CD-ROM drives; used by one thread. It asks when a tray has moved or a
 * medium was to be changed, and while a guest that was asked for one holds it: QEMU does not
 * announce that a guest unlocks its drive.
 */
final class CdromDrives {

  private static final String ID = "cdrom-";

  private final Set<String> locked = new HashSet<>();
  private final Map<String, String> refusals = new HashMap<>();
  private Map<String, CdromDrive> drives = Map.of();
  private boolean news;

  /**
   * What came of the command to change a medium.
   *
   * @param locked whether the guest holds the one that is in the drive
   * @param refusal QEMU's words; null if it did so
   */
  record Told(String drive, boolean locked, String refusal) {}

  static boolean isNews(Event event) {
    return event.name().equals("DEVICE_TRAY_MOVED");
  }

  void trayHasMoved() {
    news = true;
  }

  void hear(Told told) {
    news = true;
    locked.remove(told.drive());
    refusals.remove(told.drive());
    if (told.locked()) {
      locked.add(told.drive());
    }
    if (told.refusal() != null) {
      refusals.put(told.drive(), told.refusal());
    }
  }

  /** By the drive's name. */
  Map<String, CdromDrive> drives() {
    return drives;
  }

  void readIfDue(QmpConnection qemu) throws IOException {
    if (news || !locked.isEmpty()) {
      read(qemu);
    }
  }

  void read(QmpConnection qemu) throws IOException {
    news = false;
    Map<String, CdromDrive> found = new TreeMap<>();
    for (JsonNode device : qemu.execute("query-block")) {
      String id = device.path("qdev").asText();
      if (id.startsWith(ID)) {
        String drive = id.substring(ID.length());
        if (!device.path("locked").asBoolean() || isOpen(device)) {
          locked.remove(drive);
        }
        found.put(
            drive,
            new CdromDrive(
                medium(device),
                CacheFile.digest(device.path("inserted").path("file").asText()),
                locked.contains(drive),
                refusals.get(drive)));
      }
    }
    drives = Map.copyOf(found);
  }

  /**
   * Changes what is in a drive. A file that cannot be opened leaves everything as it was, and so
   * does a guest that has locked the drive: QEMU asks it to eject, and it never gets its medium
   * taken away.
   *
   * @param medium null: the drive is to be empty
   * @return whether the guest has locked the drive
   */
  static boolean change(QmpConnection qemu, String drive, Medium medium) throws IOException {
    Map<String, String> id = Map.of("id", ID + drive);
    String before = medium(device(qemu, drive));
    if (Objects.equals(before, medium == null ? null : medium.node())) {
      return false;
    }
    deleteUnused(qemu); // of an attempt that broke off
    if (medium != null) {
      add(qemu, medium);
    }
    qemu.execute("blockdev-open-tray", Map.of("id", ID + drive, "force", false));
    boolean open = isOpen(device(qemu, drive));
    if (open) {
      if (before != null) {
        qemu.execute("blockdev-remove-medium", id);
      }
      if (medium != null) {
        qemu.execute(
            "blockdev-insert-medium", Map.of("id", ID + drive, "node-name", medium.node()));
      }
      qemu.execute("blockdev-close-tray", id);
    }
    deleteUnused(qemu);
    return !open;
  }

  /** As raw and without a probe, so that a medium can name no other file. */
  private static void add(QmpConnection qemu, Medium medium) throws IOException {
    qemu.execute(
        "blockdev-add",
        Map.of(
            "driver",
            "raw",
            "node-name",
            medium.node(),
            "read-only",
            true,
            "file",
            Map.of("driver", "file", "filename", CacheFile.path(medium.digest()))));
  }

  /** Media that are in no drive: QEMU would keep their files open. */
  private static void deleteUnused(QmpConnection qemu) throws IOException {
    Set<String> used = new HashSet<>();
    for (JsonNode device : qemu.execute("query-block")) {
      used.add(medium(device));
    }
    for (JsonNode node : qemu.execute("query-named-block-nodes", Map.of("flat", true))) {
      String name = node.path("node-name").asText();
      if ((name.startsWith(ID) || name.startsWith(Medium.PREFIX)) && !used.contains(name)) {
        qemu.execute("blockdev-del", Map.of("node-name", name));
      }
    }
  }

  private static JsonNode device(QmpConnection qemu, String drive) throws IOException {
    JsonNode devices = qemu.execute("query-block");
    return devices
        .valueStream()
        .filter(device -> device.path("qdev").asText().equals(ID + drive))
        .findFirst()
        .orElse(devices.path("none"));
  }

  private static String medium(JsonNode device) {
    return device.path("inserted").path("node-name").asText(null);
  }

  private static boolean isOpen(JsonNode device) {
    return device.path("tray_open").asBoolean();
  }
}
