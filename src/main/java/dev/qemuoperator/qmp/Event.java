package dev.qemuoperator.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.Optional;

/**
 * An asynchronous message of QEMU (QMP specification, 2.5), or a line of the VM pod's wrapper in
 * the same form.
 *
 * @param name such as {@code SHUTDOWN}
 * @param data its members, a missing node if it has none
 * @param at by the clock of QEMU's node; null if the event does not say
 */
public record Event(String name, JsonNode data, Instant at) {
  /** RFC 3339, the format of every time in Kubernetes, ends with the year 9999. */
  static final long END_OF_TIME = Instant.parse("9999-12-31T23:59:59Z").getEpochSecond();

  /** Empty if the message is none: a greeting, an answer, or nothing QEMU says. */
  static Optional<Event> of(JsonNode message) {
    JsonNode name = message == null ? MissingNode.getInstance() : message.path("event");
    if (!name.isTextual()) {
      return Optional.empty();
    }
    return Optional.of(
        new Event(name.textValue(), message.path("data"), instant(message.path("timestamp"))));
  }

  Event withReason(String reason) {
    ObjectNode changed = data.deepCopy();
    return new Event(name, changed.put("reason", reason), at);
  }

  /** QEMU says -1 where the host's clock cannot be read. */
  private static Instant instant(JsonNode timestamp) {
    long seconds = timestamp.path("seconds").asLong(-1);
    long microseconds = timestamp.path("microseconds").asLong(-1);
    boolean said = seconds >= 0 && seconds < END_OF_TIME && microseconds >= 0;
    return said ? Instant.ofEpochSecond(seconds, microseconds % 1_000_000 * 1000) : null;
  }
}
