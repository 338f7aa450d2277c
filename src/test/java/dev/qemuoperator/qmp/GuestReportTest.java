package dev.qemuoperator.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.qmp.GuestReport.Line;
import dev.qemuoperator.qmp.GuestReport.Result;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GuestReportTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
  private static final String BOOT = "8cb4e12b-10a5-4aa5-b120-d18c06acfc09";

  /** What a Debian 13 wrote. */
  private static final String DEBIAN =
      """
      {"bootId":"8cb4e12b-10a5-4aa5-b120-d18c06acfc09","finishedAt":1795341590,"result":"done",\
      "message":"","hostname":"web","osName":"Debian GNU/Linux 13 (trixie)",\
      "kernel":"6.12.117+deb13-cloud-amd64","addresses":["10.0.2.15"],"cards":["00:00:00:00:00:00 ::1","52:54:00:12:34:56 10.0.2.15"],\
      "sshHostKeys":["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOjswaIjNoJat6hmETwV8wAhw5qrDWhzKigrPqC+YO1h"]}\
      """;

  @Test
  void reportOfADebian() {
    assertThat(GuestReport.parse(DEBIAN, NOW))
        .contains(
            new Line(
                BOOT,
                Optional.of(
                    new GuestReport(
                        Result.DONE,
                        "",
                        "web",
                        "Debian GNU/Linux 13 (trixie)",
                        "6.12.117+deb13-cloud-amd64",
                        List.of("10.0.2.15"),
                        Optional.of(List.of(new CardAddress("52:54:00:12:34:56", "10.0.2.15"))),
                        List.of(
                            "ssh-ed25519"
                                + " AAAAC3NzaC1lZDI1NTE5AAAAIOjswaIjNoJat6hmETwV8wAhw5qrDWhzKigrPqC+YO1h"),
                        Instant.ofEpochSecond(1795341590),
                        NOW))));
  }

  @Test
  void lineThatABootBeginsWithHasNoReport() {
    Line line = GuestReport.parse("{\"bootId\":\"%s\"}".formatted(BOOT), NOW).orElseThrow();
    assertThat(line.bootId()).isEqualTo(BOOT);
    assertThat(line.report()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "7",
        "[]",
        "\"text\"",
        "{",
        "{}",
        "{\"bootId\": 7}",
        "{\"bootId\": \"x\"}",
        "{\"bootId\": null, \"result\": \"done\"}",
        "{\"bootId\": [\"8cb4e12b-10a5-4aa5-b120-d18c06acfc09\"]}",
        "{\"bootId\": \"8cb4e12b-10a5-4aa5-b120-d18c06acfc09\"} more",
        "\u0000\ud800{\"",
        "NaN"
      })
  void anythingElseIsNoLine(String said) {
    assertThat(GuestReport.parse(said, NOW)).isEmpty();
  }

  @Test
  void depthAndLengthDoNotHurt() {
    assertThat(GuestReport.parse("[".repeat(16_000), NOW)).isEmpty();
    assertThat(GuestReport.parse("{\"a\":".repeat(3_000), NOW)).isEmpty();
    assertThat(GuestReport.parse("9".repeat(16_000), NOW)).isEmpty();
    assertThat(GuestReport.parse("1e" + "9".repeat(900), NOW)).isEmpty();
    assertThat(GuestReport.parse(DEBIAN + " ".repeat(16_384), NOW)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "\"done\", DONE",
    "\"degraded\", DEGRADED",
    "\"error\", ERROR",
    "\"DONE\",",
    "\"running\",",
    "7,",
    "null,",
    "[],"
  })
  void resultIsOneOfThreeWords(String said, Result result) {
    assertThat(parsed("\"result\": " + said).report().map(GuestReport::result).orElse(null))
        .isEqualTo(result);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"web\"|web",
        "\" a\\tb\\n\\rc\\u2028d \"|a b c d",
        "\"a\\u0000\\u001b[31mb\\u202ec\\u200bd\\ud800\"|a[31mbcd",
        "7|''",
        "null|''",
        "{}|''",
        "[\"web\"]|''"
      })
  void textIsOneLineWithoutControlCharacters(String said, String text) {
    GuestReport report = report("\"hostname\": " + said);
    assertThat(report.hostname()).isEqualTo(text);
    assertThat(report.kernel()).isEmpty();
  }

  @Test
  void textIsCutBetweenCharacters() {
    assertThat(report("\"message\": \"%s\"".formatted("x".repeat(9000))).message()).hasSize(256);
    assertThat(report("\"message\": \"x%s\"".formatted("😀".repeat(200))).message())
        .isEqualTo("x" + "😀".repeat(127));
  }

  @Test
  void addressesAreOfCards() {
    GuestReport report =
        report(
            """
            "cards": ["52:54:00:00:00:01 10.0.0.1", "52:54:00:00:00:01 fd00::1", "52:54:00:00:00:02 10.0.0.2",
              7, "52:54:00:00:00:01", "52:54:00:00:00:01 10.1", "5254:00:00:01 10.0.0.9", "10.0.0.9"]\
            """);
    assertThat(report.addressesOf("52:54:00:00:00:01")).contains(List.of("10.0.0.1", "fd00::1"));
    assertThat(report.addressesOf("52:54:00:00:00:0A")).contains(List.of());
    assertThat(report("\"cards\": 7").addressesOf("52:54:00:00:00:01")).isEmpty();
  }

  @Test
  void addressesAreLiteralsThatOthersMayReach() {
    assertThat(
            report(
                    """
                    "addresses": ["10.0.2.15", "2001:db8::1", "10.0.2.15", 7, null, {}, "", "127.0.0.1",
                      "::1", "fe80::1", "169.254.1.1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "10.1",
                      "012.1.1.1", "1", "256.1.1.1", "fe80::1%eth0", "localhost", "example.com", "dead.beef",
                      "10.0.2.15/24", "[::1]", " 10.0.2.16", "::ffff:10.0.0.1"]\
                    """)
                .addresses())
        .containsExactly("10.0.2.15", "2001:db8::1");
    assertThat(report("\"addresses\": \"10.0.2.15\"").addresses()).isEmpty();
    String many =
        IntStream.range(0, 99)
            .mapToObj("\"10.0.0.%d\""::formatted)
            .collect(Collectors.joining(","));
    assertThat(report("\"addresses\": [" + many + "]").addresses()).hasSize(16);
  }

  @Test
  void keysAreKeysWithoutComments() {
    assertThat(
            report(
                    """
                    "sshHostKeys": ["ssh-ed25519 AAAA", "ecdsa-sha2-nistp256 BB+/==",
                      "sk-ssh-ed25519@openssh.com CC", "ssh-ed25519 AAAA me@host", "ssh-ed25519",
                      "ssh-ed25519  AAAA", "ssh-ed25519 AAAA\\n", "ssh-ed25519 AA\\nssh-rsa BB", "x ssh-rsa AAAA",
                      "@cert-authority * ssh-rsa AAAA", "ssh-rsa %s", 7, null, ["ssh-rsa AAAA"]]\
                    """
                        .formatted("A".repeat(1024)))
                .sshHostKeys())
        .containsExactly(
            "ssh-ed25519 AAAA", "ecdsa-sha2-nistp256 BB+/==", "sk-ssh-ed25519@openssh.com CC");
    String many =
        IntStream.range(0, 99)
            .mapToObj("\"ssh-rsa A%d\""::formatted)
            .collect(Collectors.joining(","));
    assertThat(report("\"sshHostKeys\": [" + many + "]").sshHostKeys()).hasSize(8);
  }

  @ParameterizedTest
  @CsvSource({
    "2026-11-22T09:59:00Z, 2026-11-22T09:59:00Z",
    "2026-11-22T10:05:00Z, 2026-11-22T10:05:00Z",
    "2026-11-22T10:05:01Z, 2026-11-22T10:00:00Z",
    "2026-11-22T08:59:59Z, 2026-11-22T10:00:00Z"
  })
  void clockOfTheGuestCountsIfItCanBeRight(Instant said, Instant finished) {
    assertThat(
            report("\"finishedAt\": " + said.getEpochSecond())
                .finishedAt(Instant.parse("2026-11-22T09:00:00Z")))
        .isEqualTo(finished);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"-1", "0", "1e30", "9999999999999999999999", "1.5", "\"5\"", "null", "[]"})
  void timeThatIsNoneCountsAsNone(String said) {
    assertThat(report("\"finishedAt\": " + said).finishedAt()).isNull();
  }

  private static GuestReport report(String member) {
    return parsed("\"result\": \"done\", " + member).report().orElseThrow();
  }

  private static Line parsed(String members) {
    return GuestReport.parse(
            "{\"bootId\": \"%s\", %s}".formatted(BOOT, members.replace("\n", " ")), NOW)
        .orElseThrow();
  }
}
