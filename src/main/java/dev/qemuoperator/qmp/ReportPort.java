package dev.qemuoperator.qmp;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.qemuoperator.qmp.GuestReport.Line;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The port on which a guest reports, which QEMU keeps in a ring buffer; used by one thread.
 *
 * <p>To read the buffer empties it, so the report that counts is written back: an operator that
 * starts later reads it again. A guest may write without an end; so the port is read once a second
 * at most, and once in half a minute after a report has come.
 */
final class ReportPort {

  /** Id of the device, in QEMU's event VSERPORT_CHANGE, and of its buffer. */
  static final String ID = "report";

  private static final int BUFFER = 64 * 1024;

  private final Clock clock;
  private final Timing timing;

  /** A line that the guest was still writing when it was read. */
  private String begun = "";

  private Optional<Heard> latest = Optional.empty();
  private String endedBoot = "";
  private boolean news;
  private long read = System.nanoTime();

  /** When a report was taken last; a guest that has reported is not listened to more often. */
  private Optional<Long> accepted = Optional.empty();

  ReportPort(Clock clock, Timing timing) {
    this.clock = clock;
    this.timing = timing;
  }

  private record Heard(String text, Line line) {}

  /** The guest has closed the port; while it is open, a line may not be whole yet. */
  static boolean isWritten(Event event) {
    return event.name().equals("VSERPORT_CHANGE")
        && event.data().path("id").asText().equals(ID)
        && !event.data().path("open").asBoolean(true);
  }

  void written() {
    news = true;
  }

  /** Another boot of the guest begins: what the last one reported is so no more. */
  void reset() {
    latest.ifPresent(heard -> endedBoot = heard.line().bootId());
    latest = Optional.empty();
    begun = "";
    news = true; // what the buffer still has of it must go, too
  }

  /** How long to wait until there may be something to read; at most as long as given. */
  Duration pause(Duration most) {
    Duration left = untilRead();
    return news && left.compareTo(most) < 0 ? left : most;
  }

  private Duration untilRead() {
    boolean reported =
        accepted.filter(at -> System.nanoTime() - at < timing.reportPause().toNanos()).isPresent();
    Duration pause = reported ? timing.reportPause() : timing.portPause();
    Duration left = pause.minusNanos(System.nanoTime() - read);
    return left.isNegative() ? Duration.ZERO : left;
  }

  Optional<GuestReport> report() {
    return latest.flatMap(heard -> heard.line().report());
  }

  void readIfDue(QmpConnection connection) throws IOException {
    if (news && untilRead().isZero()) {
      read(connection);
    }
  }

  /** What the guest said last, whether it was announced or not. */
  void read(QmpConnection connection) throws IOException {
    news = false;
    read = System.nanoTime();
    try {
      String said = taken(connection);
      latest = last(lines(said)).or(() -> latest);
      if (report().isPresent()) {
        accepted = Optional.of(read);
        giveBack(connection, latest.orElseThrow().text() + "\n");
      }
    } catch (QmpErrorException e) {
      // this machine has no such port
    }
  }

  private static String taken(QmpConnection connection) throws IOException {
    String base64 =
        connection
            .execute("ringbuf-read", Map.of("device", ID, "size", BUFFER, "format", "base64"))
            .asText();
    return new String(Base64.getDecoder().decode(base64), UTF_8);
  }

  private static void giveBack(QmpConnection connection, String text) throws IOException {
    String base64 = Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
    connection.execute("ringbuf-write", Map.of("device", ID, "data", base64, "format", "base64"));
  }

  /** The whole ones; the rest waits for its end. */
  private List<String> lines(String said) {
    List<String> lines = new ArrayList<>(List.of((begun + said).split("\n", -1)));
    begun = lines.removeLast();
    if (begun.length() > GuestReport.LONGEST_LINE) {
      begun = "";
    }
    return lines;
  }

  private Optional<Heard> last(List<String> lines) {
    for (String line : lines.reversed()) {
      if (latest.filter(known -> known.text().equals(line)).isPresent()) {
        return latest; // with the time of its first reading
      }
      Optional<Line> parsed =
          GuestReport.parse(line, clock.instant()).filter(said -> !said.bootId().equals(endedBoot));
      if (parsed.isPresent()) {
        return Optional.of(new Heard(line, parsed.get()));
      }
    }
    return Optional.empty();
  }
}
