package dev.qemuoperator.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The files of a guest's disks and the jobs that copy base images into them; used by one thread. It
 * asks when a job begins or ends, and while one runs.
 */
final class DiskImages {

  private static final String NODE = "disk-";
  private static final String JOB = "copy-";
  private static final int STEP = 10;

  private static final Set<String> NEWS =
      Set.of("JOB_STATUS_CHANGE", "BLOCK_JOB_COMPLETED", "BLOCK_IMAGE_CORRUPTED");

  /** QEMU closes a disk in whose tables it finds damage, and then tells of no node any more. */
  private static final Pattern CLOSED = Pattern.compile("device " + NODE + "(\\S+) is ejected");

  private final Map<String, String> problems = new HashMap<>();
  private final Map<String, String> refusals = new HashMap<>();
  private Map<String, DiskImage> images = Map.of();
  private boolean news;

  /** QEMU's block node of a disk. */
  static String node(String disk) {
    return NODE + disk;
  }

  /** The job that copies the base image of a disk into it. */
  static String job(String disk) {
    return JOB + disk;
  }

  static boolean isNews(Event event) {
    return NEWS.contains(event.name());
  }

  /** One of the events that are news. */
  void hear(Event event) {
    news = true;
    if (event.name().equals("BLOCK_JOB_COMPLETED")) {
      disk(JOB, event.data().path("device").asText(""))
          .ifPresent(
              disk -> {
                problems.remove(disk);
                if (event.data().hasNonNull("error")) {
                  problems.put(disk, event.data().path("error").asText());
                }
              });
    }
  }

  /** QEMU announces no change of a size. */
  void hear(Resized told) {
    news = true;
    if (told.refusal() == null) {
      refusals.remove(told.disk());
    } else {
      refusals.put(told.disk(), told.refusal());
    }
  }

  /**
   * What came of the command to resize a disk.
   *
   * @param refusal QEMU's words; null if it did so
   */
  record Resized(String disk, String refusal) {}

  /** By the disk's name. */
  Map<String, DiskImage> images() {
    return images;
  }

  void readIfDue(QmpConnection connection) throws IOException {
    if (news || images.values().stream().anyMatch(image -> image.copied() != null)) {
      read(connection);
    }
  }

  void read(QmpConnection connection) throws IOException {
    news = false;
    Map<String, Integer> copied = new HashMap<>();
    for (JsonNode job : connection.execute("query-block-jobs")) {
      Optional<String> disk = disk(JOB, job.path("device").asText());
      if (disk.isPresent()) {
        copied.put(disk.get(), percent(job.path("offset"), job.path("len")));
        if (job.path("status").asText().equals("pending")) {
          finish(connection, disk.get());
        }
      }
    }
    JsonNode nodes;
    try {
      nodes = connection.execute("query-named-block-nodes", Map.of("flat", true));
    } catch (QmpErrorException e) {
      Matcher closed = CLOSED.matcher(e.getMessage());
      if (!closed.find()) {
        throw e;
      }
      images = withCorrupt(closed.group(1));
      return;
    }
    Map<String, DiskImage> found = new TreeMap<>();
    for (JsonNode node : nodes) {
      disk(NODE, node.path("node-name").asText())
          .ifPresent(
              disk ->
                  found.put(
                      disk,
                      new DiskImage(
                          isBacked(node),
                          copied.get(disk),
                          CacheFile.digest(node.path("backing_file").asText()),
                          problems.get(disk),
                          node.path("image").path("virtual-size").asLong(),
                          refusals.get(disk),
                          false)));
    }
    images = Map.copyOf(found);
  }

  /** What was known of the disks before still holds, and is all that can be known. */
  private Map<String, DiskImage> withCorrupt(String disk) {
    Map<String, DiskImage> known = new TreeMap<>(images);
    known.put(disk, known.getOrDefault(disk, DiskImage.UNKNOWN).asCorrupt());
    return Map.copyOf(known);
  }

  /**
   * All has been copied. QEMU would write the header that names no base before the tables that say
   * where the copy is: killed in between, the disk would have lost what came from the base. So what
   * it has in its memory goes to the file first, for which QMP has no command of its own.
   */
  private void finish(QmpConnection connection, String disk) throws IOException {
    String refusal =
        connection
            .execute(
                "human-monitor-command", Map.of("command-line", "qemu-io " + node(disk) + " flush"))
            .asText();
    if (refusal.isBlank()) {
      connection.execute("job-finalize", Map.of("id", job(disk)));
    } else {
      problems.put(disk, refusal.strip());
      connection.execute("block-job-cancel", Map.of("device", job(disk)));
    }
  }

  /** Of the chain that is open, or by the file's own header, which the next start goes by. */
  private static boolean isBacked(JsonNode node) {
    return node.hasNonNull("backing_file") || node.path("image").hasNonNull("backing-filename");
  }

  private static Optional<String> disk(String prefix, String name) {
    return Optional.of(name)
        .filter(text -> text.startsWith(prefix))
        .map(text -> text.substring(prefix.length()));
  }

  private static int percent(JsonNode done, JsonNode all) {
    return all.asLong() == 0 ? 0 : (int) (done.asLong() * 100 / all.asLong()) / STEP * STEP;
  }
}
