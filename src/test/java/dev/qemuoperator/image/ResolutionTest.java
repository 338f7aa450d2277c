package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.HostPathRootSpec;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageSpec.HostPath;
import dev.qemuoperator.api.VirtualMachineImageSpec.Http;
import dev.qemuoperator.api.VirtualMachineImageSpec.Source;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.status.Verdict;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
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

  private static final HostPathRoots LAB =
      new HostPathRoots(
          Map.of("lab", new HostPathRoots.Root(new HostPathRootSpec("/srv/a", null), false)));

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
            HostPathRoots.NONE,
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
                    new Source(null, new Http(url + "/busy/a", url + "/latest/SHA256SUMS"), null),
                    new Source(
                        null, new Http(url + "/latest/debian.qcow2", url + "/mirror/SUMS"), null)),
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
                List.of(
                    new Source(null, null, new Disk.ContainerImage("registry.example/debian:13"))),
                null,
                null,
                null,
                null),
            HostPathRoots.NONE,
            new Web());
    assertThat(found.source()).contains("registry.example/debian:13");
    assertThat(found.digest()).isEmpty();
    assertThat(found.verdict().message()).contains("not pinned");
  }

  @Test
  void fileOfTheNodesIsTakenUnasked() {
    Resolution found = Resolution.lookUp(onNodesOr(url + "/latest/debian.qcow2"), LAB, new Web());
    assertThat(found.source()).contains("HostPathRoot/lab:debian/13.qcow2");
    assertThat(found.digest()).contains(OTHER);
    assertThat(requests).as("only a node can tell whether it has the file").isEmpty();
  }

  @Test
  void rootThatIsMissingIsPassedOver() {
    Resolution found = lookUp(onNodesOr(url + "/latest/debian.qcow2"));
    assertThat(found.source()).contains(url + "/latest/debian.qcow2");
  }

  @Test
  void rootThatIsMissingIsToldAndAwaited() {
    Resolution none = lookUp(onNodesOr());
    assertThat(none.verdict())
        .isEqualTo(
            Verdict.no(
                "HostPathRootNotFound",
                "No source is there: there is no HostPathRoot/lab; create it, or name another one"
                    + " (kubectl get hpr lists them)."));
    assertThat(none.problem()).as("a watch wakes it: nothing is tried again").isEmpty();

    Resolution both = lookUp(onNodesOr(url + "/busy/a"));
    assertThat(both.verdict().reason()).isEqualTo("SourceUnavailable");
    assertThat(both.verdict().message()).contains("HostPathRoot/lab", "/busy/a: HTTP status 503");
    assertThat(both.problem()).isPresent();
  }

  @Test
  void rootThatIsBeingDeletedIsNotUsedAnyMore() {
    HostPathRoots deleting =
        new HostPathRoots(
            Map.of("lab", new HostPathRoots.Root(new HostPathRootSpec("/srv/a", null), true)));
    assertThat(Resolution.lookUp(onNodesOr(), deleting, new Web()).verdict().message())
        .contains("HostPathRoot/lab is being deleted");
  }

  @Test
  void whatWasFoundHoldsUntilARootComesOrGoes() {
    String mirror = url + "/latest/debian.qcow2";
    String file = "HostPathRoot/lab:debian/13.qcow2";
    VirtualMachineImageSpec spec = onNodesOr(mirror);
    assertThat(Resolution.holds(spec, LAB, file)).isTrue();
    assertThat(Resolution.holds(spec, HostPathRoots.NONE, file)).as("it is gone").isFalse();
    assertThat(Resolution.holds(spec, HostPathRoots.NONE, mirror)).isTrue();
    assertThat(Resolution.holds(spec, LAB, mirror)).as("a better one has come").isFalse();

    VirtualMachineImageSpec last =
        new VirtualMachineImageSpec(spec.sources().reversed(), OTHER, null, null, null);
    assertThat(Resolution.holds(last, LAB, mirror)).as("it comes first anyway").isTrue();
    assertThat(Resolution.holds(last, LAB, file)).as("the mirror did not answer then").isTrue();
  }

  private static VirtualMachineImageSpec onNodesOr(String... urls) {
    return new VirtualMachineImageSpec(
        Stream.concat(
                Stream.of(new Source(new HostPath("lab", "debian/13.qcow2"), null, null)),
                Stream.of(urls).map(ResolutionTest::http))
            .toList(),
        OTHER,
        null,
        null,
        null);
  }

  private static Resolution lookUp(VirtualMachineImageSpec spec) {
    return Resolution.lookUp(spec, HostPathRoots.NONE, new Web());
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
    return new Source(null, new Http(url, null), null);
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
