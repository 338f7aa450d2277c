package dev.qemuoperator.qmp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the termination message of a VM's container tells: JSON lines, the last events that QEMU's
 * own file monitor logged, then what the wrapper knows (its lines {@code STOP_STEP}, {@code
 * QEMU_STDERR}, {@code WRAPPER_FAILED}, {@code WRAPPER}; {@code BASE_IMAGE} of one that fetched).
 * It is there even if nobody was connected when QEMU ended.
 *
 * <p>The kubelet may cut the message, QEMU may die in the middle of a line: whatever is no event is
 * left out.
 */
public record EventLog(List<Event> events) {
  private static final ObjectMapper JSON = new ObjectMapper();

  public EventLog {
    events = List.copyOf(events);
  }

  /**
   * The wrapper could not start QEMU.
   *
   * @param reason one word, such as {@code KVMUnavailable}
   * @param disk the disk it is about; empty if about none
   * @param network the network card it is about; empty if about none
   * @param message for a person
   */
  public record WrapperFailure(String reason, String disk, String network, String message) {}

  /** The steps in which PID 1 of the pod stops QEMU; which of them come when, its README says. */
  public enum StopStep {
    /** ACPI's power button, right after SIGTERM. A guest that heeds it causes no further step. */
    POWER_BUTTON("PowerButton"),
    /** The button again, at half of the grace period. */
    POWER_BUTTON_AGAIN("PowerButtonAgain"),
    /** QMP's {@code quit}: the guest is cut off, its disks are flushed. */
    QUIT("Quit"),
    /** SIGTERM and then SIGKILL for QEMU: its monitor did not answer. */
    KILL("Kill");

    private final String word;

    StopStep(String word) {
      this.word = word;
    }

    /** As the termination message and the API have it. */
    public String word() {
      return word;
    }

    private static Optional<StopStep> of(String word) {
      return Stream.of(values()).filter(step -> step.word.equals(word)).findFirst();
    }
  }

  /**
   * What a pod found on its node.
   *
   * @param others names of the node's other bridges, if this one is none of them
   * @param mtu in bytes
   * @param wireless the node's own way out, if that is wireless and the bridge leads nowhere
   */
  public record Bridge(
      boolean exists, List<String> others, boolean isUp, int mtu, Optional<String> wireless) {}

  /**
   * A step that was taken, whether or not QEMU took notice.
   *
   * @param at by the clock of the pod's node; null if the line does not say
   */
  public record StepTaken(StopStep step, Instant at) {}

  /**
   * @param terminationMessage as the container's status has it; null if it has none
   */
  public static EventLog parse(String terminationMessage) {
    Stream<String> lines = terminationMessage == null ? Stream.of() : terminationMessage.lines();
    WatchdogReset watchdog = new WatchdogReset();
    return new EventLog(
        lines.flatMap(line -> event(line).stream()).map(watchdog::attribute).toList());
  }

  private static Optional<Event> event(String line) {
    try {
      return Event.of(JSON.readTree(line));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** The last SHUTDOWN event; without any, the watchdog that powered off. */
  public Optional<Shutdown> shutdown() {
    return last("SHUTDOWN").or(() -> last("WATCHDOG")).flatMap(Shutdown::of);
  }

  public boolean panicked() {
    return last("GUEST_PANICKED").isPresent()
        || shutdown().filter(end -> end.reason().equals(Shutdown.GUEST_PANIC)).isPresent();
  }

  public Optional<WrapperFailure> wrapperFailure() {
    return last("WRAPPER_FAILED")
        .map(Event::data)
        .map(
            data ->
                new WrapperFailure(
                    data.path("reason").asText(""),
                    data.path("disk").asText(""),
                    data.path("network").asText(""),
                    data.path("message").asText("")));
  }

  /** Of a container that looked for a bridge. */
  public Optional<Bridge> bridge() {
    return last("BRIDGE")
        .map(Event::data)
        .map(
            data ->
                new Bridge(
                    data.path("exists").asBoolean(),
                    Stream.of(data.path("others").asText("").split(" "))
                        .filter(name -> !name.isEmpty())
                        .toList(),
                    data.path("up").asBoolean(),
                    data.path("mtu").asInt(),
                    Optional.of(data.path("wireless").asText("")).filter(name -> !name.isEmpty())));
  }

  /** Of a container that fetched a base image: the digest of its file, {@code sha256:…}. */
  public Optional<String> baseImageDigest() {
    return last("BASE_IMAGE").map(event -> event.data().path("digest").asText(""));
  }

  /** Of the same: its format there, in QEMU's word; empty if nobody has looked. */
  public Optional<String> baseImageFormat() {
    return last("BASE_IMAGE")
        .map(event -> event.data().path("format").asText(""))
        .filter(format -> !format.isEmpty());
  }

  /** Where that came from; empty if the node had it already. */
  public Optional<String> baseImageSource() {
    return last("BASE_IMAGE")
        .map(event -> event.data().path("source").asText(""))
        .filter(source -> !source.isEmpty());
  }

  /** The end of what QEMU wrote to its standard error; empty if nothing. */
  public String stderr() {
    return last("QEMU_STDERR").map(event -> event.data().path("text").asText("")).orElse("");
  }

  /** Whether a disk had failed and the guest still waited for it. */
  public boolean waitedForDisk() {
    return events.stream()
        .filter(event -> IoError.stops(event) || event.name().equals("RESUME"))
        .reduce((a, b) -> b)
        .filter(IoError::stops)
        .isPresent();
  }

  /** How the pod was stopped, in order; empty if nobody asked it to, or before QEMU ran. */
  public List<StepTaken> stopSteps() {
    return events.stream()
        .filter(event -> event.name().equals("STOP_STEP"))
        .flatMap(
            event ->
                StopStep.of(event.data().path("step").asText("")).stream()
                    .map(step -> new StepTaken(step, event.at())))
        .toList();
  }

  /** The pod was asked to end before QEMU did. */
  public boolean termSignalled() {
    return wrapper("signal").filter(signal -> signal.asText().equals("TERM")).isPresent();
  }

  private Optional<JsonNode> wrapper(String member) {
    return last("WRAPPER").map(event -> event.data().path(member));
  }

  private Optional<Event> last(String name) {
    return events.stream().filter(event -> event.name().equals(name)).reduce((a, b) -> b);
  }
}
