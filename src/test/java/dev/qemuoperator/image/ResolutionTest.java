package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageSpec.Http;
import dev.qemuoperator.api.VirtualMachineImageSpec.Source;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against a real HTTP server that serves what a mirror of a distribution does. */
class ResolutionTest {

  private static final String SUM = "0a".repeat(32);
  private static final String OTHER = "sha256:" + "0b".repeat(32);

  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private HttpServer server;
  private String url;

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    url = "http://localhost:" + server.getAddress().getPort();
    on("/latest/debian.qcow2", exchange -> answer(exchange, 200, "an image"));
    on("/latest/SHA256SUMS", exchange -> answer(exchange, 200, SUM + "  debian.qcow2\n"));
    on("/moved/", exchange -> redirect(exchange, exchange.getRequestURI().getPath().substring(6)));
    on("/busy/", exchange -> answer(exchange, 503, ""));
    on("/huge", exchange -> answer(exchange, 200, "x".repeat(2 << 20)));
    on(
        "/no-head/debian.qcow2",
        exchange -> answer(exchange, exchange.getRequestMethod().equals("HEAD") ? 405 : 206, "a"));
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void publishedSumIsPinned() {
    Resolution found = lookUp(spec(null, "/latest/SHA256SUMS", "/latest/debian.qcow2"));
    assertThat(found.verdict().reason()).isEqualTo("Resolved");
    assertThat(found.source()).contains(url + "/latest/debian.qcow2");
    assertThat(found.digest()).contains("sha256:" + SUM);
    assertThat(requests).containsExactly("HEAD /latest/debian.qcow2", "GET /latest/SHA256SUMS");
  }

  @Test
  void redirectsAreFollowed() {
    Resolution found = lookUp(spec(null, "/moved/latest/SHA256SUMS", "/moved/latest/debian.qcow2"));
    assertThat(found.source()).contains(url + "/moved/latest/debian.qcow2");
    assertThat(found.digest()).contains("sha256:" + SUM);
  }

  @Test
  void firstSourceThatAnswersServes() {
    Resolution found = lookUp(spec(OTHER, null, "/busy/a", "/latest/debian.qcow2", "/busy/b"));
    assertThat(found.source()).contains(url + "/latest/debian.qcow2");
    assertThat(found.digest()).contains(OTHER);
    assertThat(requests).doesNotContain("HEAD /busy/b");
  }

  @Test
  void serverThatKnowsNoHeadIsAskedForAByte() {
    assertThat(lookUp(spec(OTHER, null, "/no-head/debian.qcow2")).verdict().isTrue()).isTrue();
  }

  @Test
  void eachSourceThatDoesNotAnswerIsTold() {
    Resolution none =
        Resolution.lookUp(
            new VirtualMachineImageSpec(
                List.of(
                    http(url + "/busy/a"),
                    http("http://localhost:1/b"),
                    http("http://[not-an-address]/c")),
                OTHER,
                null,
                null,
                null),
            new Web());
    assertThat(none.verdict().reason()).isEqualTo("SourceUnavailable");
    assertThat(none.verdict().message())
        .contains(
            "/busy/a: HTTP status 503",
            "http://localhost:1/b: no connection",
            "http://[not-an-address]/c");
    assertThat(none.source()).isEmpty();
    assertThat(none.problem()).isPresent();
  }

  @Test
  void sourceMayHaveItsOwnSums() {
    on("/mirror/SUMS", exchange -> answer(exchange, 200, "0c".repeat(64) + "  debian.qcow2\n"));
    Resolution found =
        lookUp(
            new VirtualMachineImageSpec(
                List.of(
                    new Source(new Http(url + "/busy/a", url + "/latest/SHA256SUMS"), null),
                    new Source(new Http(url + "/latest/debian.qcow2", url + "/mirror/SUMS"), null)),
                null,
                url + "/busy/SHA256SUMS",
                null,
                null));
    assertThat(found.digest()).contains("sha512:" + "0c".repeat(64));
  }

  @Test
  void sourceWithoutASumIsPassedOver() {
    on("/other.qcow2", exchange -> answer(exchange, 200, "an image"));
    Resolution found =
        lookUp(spec(null, "/latest/SHA256SUMS", "/other.qcow2", "/latest/debian.qcow2"));
    assertThat(found.source()).contains(url + "/latest/debian.qcow2");
  }

  @Test
  void serverThatDripsIsNotWaitedForLong() {
    on(
        "/drips/SHA256SUMS",
        exchange -> {
          exchange.sendResponseHeaders(200, 1000);
          exchange.getResponseBody().write('a');
          exchange.getResponseBody().flush();
          stopped.await();
        });
    Instant began = Instant.now();
    Resolution none = lookUp(spec(null, "/drips/SHA256SUMS", "/latest/debian.qcow2"));
    stopped.countDown();
    assertThat(none.verdict().message()).contains("/drips/SHA256SUMS: no whole answer within");
    assertThat(Duration.between(began, Instant.now())).isLessThan(Duration.ofSeconds(15));
  }

  /** From https to http the client goes no further, and this is the answer that is left. */
  @Test
  void redirectThatIsNotFollowedIsToldAsOne() {
    on("/nowhere/", exchange -> exchange.sendResponseHeaders(304, -1));
    assertThat(lookUp(spec(OTHER, null, "/nowhere/a")).verdict().message())
        .contains("/nowhere/a redirects from https to http");
  }

  @Test
  void fileOfSumsMustHaveTheImage() {
    on("/other/SHA256SUMS", exchange -> answer(exchange, 200, SUM + "  ubuntu.img\n"));
    Resolution none = lookUp(spec(null, "/other/SHA256SUMS", "/latest/debian.qcow2"));
    assertThat(none.verdict().reason()).isEqualTo("ChecksumUnavailable");
    assertThat(none.verdict().message())
        .contains("/other/SHA256SUMS", "debian.qcow2", "checksumUrl");
  }

  @Test
  void fileOfSumsMustBeThereAndSmall() {
    for (String sums : List.of("/busy/SHA256SUMS", "/huge")) {
      Resolution none = lookUp(spec(null, sums, "/latest/debian.qcow2"));
      assertThat(none.verdict().reason()).isEqualTo("ChecksumUnavailable");
      assertThat(none.verdict().message()).contains(sums);
    }
  }

  @Test
  void containerImageIsTakenUnasked() {
    Resolution found =
        Resolution.lookUp(
            new VirtualMachineImageSpec(
                List.of(new Source(null, new Disk.ContainerImage("registry.example/debian:13"))),
                null,
                null,
                null,
                null),
            new Web());
    assertThat(found.source()).contains("registry.example/debian:13");
    assertThat(found.digest()).isEmpty();
    assertThat(found.verdict().message()).contains("not pinned");
  }

  private static Resolution lookUp(VirtualMachineImageSpec spec) {
    return Resolution.lookUp(spec, new Web());
  }

  private VirtualMachineImageSpec spec(String checksum, String sums, String... sources) {
    return new VirtualMachineImageSpec(
        Stream.of(sources).map(path -> http(url + path)).toList(),
        checksum,
        sums == null ? null : url + sums,
        null,
        null);
  }

  private static Source http(String url) {
    return new Source(new Http(url, null), null);
  }

  private interface Answer {
    void to(HttpExchange exchange) throws IOException, InterruptedException;
  }

  private void on(String path, Answer answer) {
    server.createContext(
        path,
        exchange -> {
          requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
          try {
            answer.to(exchange);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          exchange.close();
        });
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, head || bytes.length == 0 ? -1 : bytes.length);
    if (!head) {
      exchange.getResponseBody().write(bytes);
    }
  }

  private static void redirect(HttpExchange exchange, String path) throws IOException {
    exchange.getResponseHeaders().set("Location", path);
    exchange.sendResponseHeaders(302, -1);
  }
}
