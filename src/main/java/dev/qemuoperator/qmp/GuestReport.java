package dev.qemuoperator.qmp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What a guest says of itself at the end of cloud-init and when its addresses change, as the script
 * report.sh in the seed's vendor-data writes it. A guest is a stranger that may say anything: what
 * is kept is bounded and of its kind, the rest is dropped without a word.
 *
 * @param result how cloud-init ended
 * @param message the first of cloud-init's errors or warnings; empty if there is none
 * @param hostname empty if it does not say, and so are the next two
 * @param osName PRETTY_NAME of /etc/os-release
 * @param kernel release of the running kernel
 * @param addresses IP literals that others may reach
 * @param cards the same by card; empty if it does not say, as an earlier report.sh did not
 * @param sshHostKeys type and key, without a comment
 * @param finishedAt by the guest's clock; null if it does not say
 * @param readAt when it was read first, by the operator's clock
 */
public record GuestReport(
    Result result,
    String message,
    String hostname,
    String osName,
    String kernel,
    List<String> addresses,
    Optional<List<CardAddress>> cards,
    List<String> sshHostKeys,
    Instant finishedAt,
    Instant readAt) {

  static final int LONGEST_LINE = 16 * 1024;
  private static final int LONGEST_TEXT = 256;
  private static final int LONGEST_KEY = 1024; // RSA with 4096 bits has 724
  private static final int MOST_ADDRESSES = 16;
  private static final int MOST_CARD_ADDRESSES = 64; // a guest with containers has many bridges
  private static final int MOST_KEYS = 8;

  /** The guest's clock may be a little ahead of the operator's. */
  private static final Duration SKEW = Duration.ofMinutes(5);

  private static final Pattern BOOT_ID = Pattern.compile("[0-9a-f-]{36}");
  private static final Pattern LINE_ENDS = Pattern.compile("[\\p{Zl}\\p{Zp}\\s]+");
  private static final Pattern NOT_FOR_READING = Pattern.compile("\\p{C}");
  private static final Pattern KEY =
      Pattern.compile("(ssh-|ecdsa-|sk-)[A-Za-z0-9@.-]+ [A-Za-z0-9+/=]+");
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  public GuestReport {
    addresses = List.copyOf(addresses);
    cards = cards.map(List::copyOf);
    sshHostKeys = List.copyOf(sshHostKeys);
  }

  /** The addresses of a card by its MAC address; empty if it does not say. */
  public Optional<List<String>> addressesOf(String macAddress) {
    return cards.map(
        all ->
            all.stream().filter(card -> card.isOf(macAddress)).map(CardAddress::address).toList());
  }

  /** cloud-init's own words for its end. */
  public enum Result {
    DONE,
    /** It warned. */
    DEGRADED,
    ERROR;

    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    private static Optional<Result> of(String word) {
      return Stream.of(values()).filter(result -> result.word().equals(word)).findFirst();
    }
  }

  /**
   * One line that a guest wrote to the port.
   *
   * @param bootId which boot it is about
   * @param report empty in the line that a boot begins with
   */
  record Line(String bootId, Optional<GuestReport> report) {}

  /** Empty if it is nothing that report.sh could have written. */
  static Optional<Line> parse(String line, Instant readAt) {
    if (line.length() > LONGEST_LINE) {
      return Optional.empty();
    }
    try {
      JsonNode said = JSON.readTree(line);
      String bootId = said.path("bootId").asText();
      return BOOT_ID.matcher(bootId).matches()
          ? Optional.of(new Line(bootId, report(said, readAt)))
          : Optional.empty();
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  private static Optional<GuestReport> report(JsonNode said, Instant readAt) {
    return Result.of(said.path("result").asText())
        .map(
            result ->
                new GuestReport(
                    result,
                    text(said.path("message")),
                    text(said.path("hostname")),
                    text(said.path("osName")),
                    text(said.path("kernel")),
                    list(said.path("addresses"), CardAddress::isReachable, MOST_ADDRESSES),
                    Optional.of(said.path("cards"))
                        .filter(JsonNode::isArray)
                        .map(GuestReport::cards),
                    list(said.path("sshHostKeys"), GuestReport::isKey, MOST_KEYS),
                    instant(said.path("finishedAt")),
                    readAt));
  }

  /**
   * When cloud-init ended: by the guest's word if that can be so, else when it was read.
   *
   * @param started when QEMU was started
   */
  public Instant finishedAt(Instant started) {
    boolean plausible =
        finishedAt != null
            && !finishedAt.isBefore(started)
            && !finishedAt.isAfter(readAt.plus(SKEW));
    return plausible ? finishedAt : readAt;
  }

  private static String text(JsonNode node) {
    String text = node.isTextual() ? node.textValue() : "";
    text = LINE_ENDS.matcher(text).replaceAll(" ");
    text = NOT_FOR_READING.matcher(text).replaceAll("").strip();
    if (text.length() <= LONGEST_TEXT) {
      return text;
    }
    boolean splitsPair = Character.isHighSurrogate(text.charAt(LONGEST_TEXT - 1));
    return text.substring(0, splitsPair ? LONGEST_TEXT - 1 : LONGEST_TEXT);
  }

  private static List<String> list(JsonNode node, Predicate<String> fits, int most) {
    return StreamSupport.stream(node.spliterator(), false)
        .filter(JsonNode::isTextual)
        .map(JsonNode::textValue)
        .filter(fits)
        .distinct()
        .limit(most)
        .toList();
  }

  private static List<CardAddress> cards(JsonNode node) {
    return list(node, text -> CardAddress.parse(text).isPresent(), MOST_CARD_ADDRESSES).stream()
        .flatMap(text -> CardAddress.parse(text).stream())
        .toList();
  }

  private static boolean isKey(String text) {
    return text.length() <= LONGEST_KEY && KEY.matcher(text).matches();
  }

  private static Instant instant(JsonNode seconds) {
    long since1970 =
        seconds.isIntegralNumber() && seconds.canConvertToLong() ? seconds.asLong() : 0;
    return since1970 > 0 && since1970 < Event.END_OF_TIME ? Instant.ofEpochSecond(since1970) : null;
  }
}
