package dev.qemuoperator.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.qmp.Observation.Channel;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class QmpMonitorsTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
  private static final Instant EVENT_TIME = Instant.parse("2026-11-22T10:00:00.250Z");
  private static final String KEY = "default/web";
  private static final String WEB = "web.default.vm";

  /** Patient with a cold JVM on a busy machine, quick in all that needs no handshake. */
  private static final Timing TIMING = timing(Duration.ofSeconds(20), Duration.ofMillis(300));

  private static final Duration NO_HEARTBEAT_YET = Duration.ofHours(1);

  private final CertificateAuthority ca = CertificateAuthority.generate(Clock.systemUTC());
  private final SSLContext operator = ca.operatorContext(Clock.systemUTC());

  /** Pod address → the QEMU there; nobody listens at any other. */
  private final Map<String, FakeQemu> pods = new ConcurrentHashMap<>();

  private final List<Integer> dialedPorts = new CopyOnWriteArrayList<>();
  private final List<Observation> changes = new CopyOnWriteArrayList<>();
  private QmpMonitors monitors = monitors(TIMING);

  @AfterEach
  void endAll() throws IOException {
    monitors.close();
    for (FakeQemu qemu : pods.values()) {
      qemu.close();
    }
  }

  @Test
  void watchedVmIsAskedForEverything() throws IOException {
    qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    told(1);

    assertThat(monitors.observation(KEY))
        .contains(
            new Observation(
                Channel.CONNECTED,
                NOW,
                null,
                "running",
                "KVM",
                "10.0.13",
                "seed-1",
                null,
                "run-1"));
  }

  @Test
  void machineWithoutSeedAndKvm() throws IOException {
    qemuAt("10.0.0.1").withoutSeed().withoutKvm().status("paused");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    assertThat(observation().seedSerial()).isNull();
    assertThat(observation().accelerator()).isEqualTo("TCG");
    assertThat(observation().runState()).isEqualTo("paused");
  }

  @Test
  void vmIsConnectingFromTheMomentItIsWatched() {
    monitors.watch(KEY, endpoint("10.0.0.9", "run-1"));

    assertThat(observation().channel()).isEqualTo(Channel.CONNECTING);
    assertThat(observation().since()).isEqualTo(NOW);
    assertThat(monitors.observation("default/other")).isEmpty();
  }

  @Test
  void eventMakesItAskAgainAndTellTheChange() throws IOException {
    use(timing(Duration.ofSeconds(20), NO_HEARTBEAT_YET));
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("io-error").emit("BLOCK_IO_ERROR", "{\"action\": \"stop\"}");
    told(2);

    assertThat(changes.getLast().runState()).isEqualTo("io-error");
    assertThat(changes.getLast().accelerator()).isEqualTo("KVM");
  }

  @Test
  void whatChangesNothingIsNotTold() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.emit("RTC_CHANGE", "{\"offset\": 1}");
    qemu.emit("RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    patiently().until(() -> heartbeats(qemu) >= 4);

    assertThat(changes).hasSize(1);
    assertThat(dialedPorts).containsExactly(7000);
  }

  @Test
  void heartbeatSeesAChangeWithoutAnEvent() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("internal-error");

    patiently().until(() -> "internal-error".equals(observation().runState()));
  }

  @Test
  void reasonOfTheEndOutlivesTheConnectionAndTheRunStateDoesNot() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.emit("SHUTDOWN", "{\"guest\": true, \"reason\": \"guest-shutdown\"}");
    qemu.close();
    lost();

    Observation lost =
        changes.stream().filter(o -> o.channel() == Channel.LOST).toList().getFirst();
    assertThat(lost.runState()).isNull();
    assertThat(lost.accelerator()).isNull();
    assertThat(lost.qemuVersion()).isNull();
    assertThat(lost.seedSerial()).isNull();
    assertThat(lost.problem()).isEqualTo("QEMU closed the connection");
    assertThat(lost.shutdown()).isEqualTo(new Shutdown(true, "guest-shutdown", EVENT_TIME));
  }

  @Test
  void panickedGuestIsNotedEvenIfQemuStays() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("guest-panicked").emit("GUEST_PANICKED", "{\"action\": \"pause\"}");
    patiently().until(() -> observation().shutdown() != null);

    assertThat(observation().shutdown()).isEqualTo(new Shutdown(true, "guest-panic", EVENT_TIME));
    patiently().until(() -> "guest-panicked".equals(observation().runState()));
    assertThat(observation().channel()).isEqualTo(Channel.CONNECTED);
  }

  @Test
  void lostConnectionIsMadeAnewAndAskedForEverythingAgain() throws IOException {
    use(timing(Duration.ofSeconds(20), NO_HEARTBEAT_YET));
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("paused").dropClients();
    patiently().until(() -> "paused".equals(changes.getLast().runState()));

    assertThat(changes)
        .extracting(Observation::channel)
        .startsWith(Channel.CONNECTED, Channel.LOST)
        .endsWith(Channel.CONNECTED);
    assertThat(observation().accelerator()).isEqualTo("KVM");
    assertThat(observation().seedSerial()).isEqualTo("seed-1");
  }

  @Test
  void qemuThatListensLateIsFoundAndWasNoProblemMeanwhile() throws IOException {
    use(withStartup(Duration.ofMinutes(1)));
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    patiently().until(() -> dialedPorts.size() >= 10);
    assertThat(changes).isEmpty();

    qemuAt("10.0.0.1");
    connected();

    told(1);
    assertThat(dialedPorts).containsOnly(7000);
  }

  @Test
  void qemuThatNeverListensIsOneProblemToldOnce() {
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    patiently().until(() -> dialedPorts.size() >= 10);

    assertThat(changes).hasSize(1);
    assertThat(observation().channel()).isEqualTo(Channel.CONNECTING);
    assertThat(observation().problem()).isEqualTo("Connection refused");
  }

  @Test
  void anotherIncarnationIsAnotherQemu() throws IOException {
    FakeQemu first = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    first.emit("SHUTDOWN", "{\"guest\": true, \"reason\": \"guest-reset\"}");
    patiently().until(() -> observation().shutdown() != null);

    FakeQemu second = qemuAt("10.0.0.2").status("prelaunch");
    monitors.watch(KEY, endpoint("10.0.0.2", "run-2"));
    assertThat(observation())
        .isEqualTo(
            new Observation(Channel.CONNECTING, NOW, null, null, null, null, null, null, "run-2"));
    connected();

    assertThat(observation().runState()).isEqualTo("prelaunch");
    assertThat(second.connectedPorts()).containsExactly(7000);
    patiently().until(() -> first.connectedPorts().isEmpty());
  }

  @Test
  void sameIncarnationAtAnotherAddressKeepsTheReasonOfItsEnd() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    qemu.emit("SHUTDOWN", "{\"guest\": false, \"reason\": \"host-signal\"}");
    patiently().until(() -> observation().shutdown() != null);

    monitors.watch(KEY, endpoint("10.0.0.2", "run-1"));

    assertThat(observation().shutdown().reason()).isEqualTo("host-signal");
    assertThat(observation().channel()).isEqualTo(Channel.CONNECTING);
  }

  @Test
  void monitorHeldByADeadPeerIsLeftForTheSpareOne() throws IOException {
    use(timing(Duration.ofSeconds(3), Duration.ofMillis(300)));
    FakeQemu qemu = qemuAt("10.0.0.1");
    try (Socket dead = qemu.dial(7000)) {
      monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
      connected();

      assertThat(dead.isConnected()).isTrue();
      assertThat(qemu.connectedPorts()).containsExactly(7001);
      assertThat(dialedPorts).containsExactly(7000, 7001);
    }
  }

  @Test
  void silentPeerIsNoticed() throws IOException {
    use(timing(Duration.ofSeconds(3), Duration.ofMillis(300)));
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.silence();
    lost();

    assertThat(observation().runState()).isNull();
    assertThat(changes.get(1).problem()).isEqualTo("QEMU did not answer query-status within 3.0 s");
    qemu.speak();
    connected();
  }

  @Test
  void qemuThatDoesNotWantTheOperatorIsAProblemThatSaysSo() throws IOException {
    CertificateAuthority old = CertificateAuthority.generate(Clock.systemUTC());
    Map<String, String> files = ca.issueServer(WEB, Clock.systemUTC()).files();
    pods.put(
        "10.0.0.1",
        new FakeQemu(
            Map.of(
                "ca-cert.pem", old.toPem().get("ca.crt"),
                "server-cert.pem", files.get("server-cert.pem"),
                "server-key.pem", files.get("server-key.pem"))));
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    patiently().until(() -> observation().problem() != null);

    assertThat(observation().channel()).isEqualTo(Channel.CONNECTING);
    // whether the refusal comes before or after the client's last word of the handshake is a race
    assertThat(observation().problem())
        .isIn(
            "QEMU sent no greeting: not authorised, or another client is connected",
            "closed by the other end before TLS was up");
  }

  @Test
  void forgottenVmIsLeftAlone() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    told(1);

    monitors.forget(KEY);
    patiently().until(() -> qemu.connectedPorts().isEmpty());

    assertThat(monitors.observation(KEY)).isEmpty();
    assertThat(changes).hasSize(1);
  }

  @Test
  void closedMonitorsHoldNothing() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    told(1);

    monitors.close();
    monitors.watch(KEY, endpoint("10.0.0.1", "run-2"));

    patiently().until(() -> qemu.connectedPorts().isEmpty());
    assertThat(monitors.observation(KEY)).isEmpty();
  }

  @Test
  void callerThatFailsIsCalledAgain() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.close();
    List<String> calls = new CopyOnWriteArrayList<>();
    monitors =
        new QmpMonitors(
            this::dial,
            () -> operator,
            clock(),
            key -> {
              calls.add(key);
              throw new IllegalStateException("the caller fails, as this test wants it to");
            },
            TIMING);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("paused").emit("STOP", "{}");

    patiently().until(() -> calls.size() == 2);
    assertThat(observation().runState()).isEqualTo("paused");
  }

  private static ConditionFactory patiently() {
    return await().atMost(Duration.ofSeconds(30));
  }

  private void connected() {
    patiently().until(() -> observation().channel() == Channel.CONNECTED);
  }

  private void told(int times) {
    patiently().until(() -> changes.size() == times);
  }

  private void lost() {
    patiently().until(() -> changes.stream().anyMatch(o -> o.channel() == Channel.LOST));
  }

  private Observation observation() {
    return monitors.observation(KEY).orElseThrow();
  }

  private static long heartbeats(FakeQemu qemu) {
    return qemu.commands().stream().filter("query-status"::equals).count();
  }

  private FakeQemu qemuAt(String address) {
    FakeQemu qemu = new FakeQemu(ca.issueServer(WEB, Clock.systemUTC()).files());
    pods.put(address, qemu);
    return qemu;
  }

  private static Endpoint endpoint(String address, String incarnation) {
    return new Endpoint("default", "web", address, WEB, incarnation);
  }

  private void use(Timing timing) {
    monitors.close();
    monitors = monitors(timing);
  }

  private QmpMonitors monitors(Timing timing) {
    return new QmpMonitors(
        this::dial, () -> operator, clock(), key -> changes.add(observation()), timing);
  }

  private Socket dial(Endpoint endpoint, int port) throws IOException {
    dialedPorts.add(port);
    FakeQemu qemu = pods.get(endpoint.address());
    if (qemu == null) {
      throw new ConnectException("Connection refused");
    }
    return qemu.dial(port);
  }

  private static Clock clock() {
    return Clock.fixed(NOW, ZoneOffset.UTC);
  }

  private static Timing timing(Duration patience, Duration heartbeat) {
    return new Timing(
        patience,
        patience,
        heartbeat,
        Duration.ofMillis(20),
        Duration.ofMillis(100),
        Duration.ofMillis(50),
        Duration.ofMillis(20));
  }

  private static Timing withStartup(Duration startup) {
    return new Timing(
        TIMING.handshake(),
        TIMING.answer(),
        TIMING.heartbeat(),
        TIMING.firstPause(),
        Duration.ofHours(1),
        startup,
        TIMING.startupPause());
  }
}
