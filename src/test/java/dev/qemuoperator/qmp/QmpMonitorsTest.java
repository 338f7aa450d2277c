package dev.qemuoperator.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.awaitility.Awaitility.await;

import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.qmp.Observation.Answers;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class QmpMonitorsTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
  private static final Instant EVENT_TIME = Instant.parse("2026-11-22T10:00:00.250Z");
  private static final String BASE = "sha256:" + FakeQemu.BASE;
  private static final String KEY = "default/web";
  private static final String WEB = "web.default.vm";

  /** Patient with a cold JVM on a busy machine, quick in all that needs no handshake. */
  private static final Timing TIMING = timing(Duration.ofSeconds(20), Duration.ofMillis(300));

  private static final long SIZE = 8L << 30;
  private static final Medium OTHER = new Medium("medium-1", "sha256:" + "0d".repeat(32));
  private static final Duration NO_HEARTBEAT_YET = Duration.ofHours(1);

  private final CertificateAuthority ca = CertificateAuthority.generate(Clock.systemUTC());
  private final SSLContext operator = ca.operatorContext(Clock.systemUTC());

  /** Pod address → the QEMU there; nobody listens at any other. */
  private final Map<String, FakeQemu> pods = new ConcurrentHashMap<>();

  private final List<Integer> dialedPorts = new CopyOnWriteArrayList<>();
  private final List<Observation> changes = new CopyOnWriteArrayList<>();
  private final CountedConnections connections = new CountedConnections();
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
    qemuAt("10.0.0.1").seen("52:54:00:86:00:53 10.86.0.53");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    told(1);

    assertThat(monitors.observation(KEY))
        .contains(
            new Observation(
                Channel.CONNECTED,
                NOW,
                null,
                new Answers(
                    "running",
                    "KVM",
                    "10.0.13",
                    "seed-1",
                    null,
                    List.of(new CardAddress("52:54:00:86:00:53", "10.86.0.53")),
                    Map.of("root", new DiskImage(false, null, null, null, SIZE, null, false)),
                    Map.of("iso", new CdromDrive(null, null, false, null))),
                Heard.NOTHING,
                "run-1"));
  }

  @Test
  void machineWithoutSeedAndKvm() throws IOException {
    qemuAt("10.0.0.1").withoutSeed().withoutKvm().status("paused");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    assertThat(observation().answers().seedSerial()).isNull();
    assertThat(observation().answers().accelerator()).isEqualTo("TCG");
    assertThat(observation().answers().runState()).isEqualTo("paused");
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
    patiently().until(() -> isIn("io-error", changes.getLast()));

    assertThat(changes.getLast().answers().accelerator()).isEqualTo("KVM");
  }

  @Test
  void guestThatWaitsForItsDiskIsLetGoOnUntilItDoes() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("io-error")
        .emit(
            "BLOCK_IO_ERROR",
            "{\"node-name\": \"disk-root\", \"action\": \"stop\", \"nospace\": true, \"operation\": \"write\", \"reason\": \"full\"}");
    patiently().until(() -> Collections.frequency(qemu.commands(), "cont") >= 2);
    assertThat(observation().heard().ioError())
        .isEqualTo(new IoError("disk-root", true, "write", "full"));
    assertThat(changes)
        .as("an attempt that fails is no news")
        .extracting(change -> change.answers().runState())
        .containsSubsequence("running", "io-error")
        .endsWith("io-error");

    qemu.status("running");
    patiently().until(() -> isIn("running", observation()));
  }

  @Test
  void pressesOfThePowerButtonAreCounted() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.emit("POWERDOWN", "{}").emit("POWERDOWN", "{}");

    patiently().until(() -> observation().heard().powerButtons() == 2);
  }

  @Test
  void copyingOfABaseImageIsFollowedToItsEnd() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").backed(true);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    assertThat(disk()).isEqualTo(new DiskImage(true, null, BASE, null, SIZE, null, false));

    monitors.copy(KEY, "root", 1024);
    assertThat(qemu.commands()).contains("block-stream");
    qemu.blockJobs("[{\"device\": \"copy-root\", \"offset\": 47, \"len\": 100}]")
        .emit("JOB_STATUS_CHANGE", "{\"id\": \"copy-root\", \"status\": \"running\"}");
    patiently().until(() -> disk().equals(new DiskImage(true, 40, BASE, null, SIZE, null, false)));
    qemu.blockJobs("[{\"device\": \"copy-root\", \"offset\": 90, \"len\": 100}]");
    patiently().until(() -> disk().equals(new DiskImage(true, 90, BASE, null, SIZE, null, false)));

    qemu.blockJobs("[]")
        .emit("BLOCK_JOB_COMPLETED", "{\"device\": \"copy-root\", \"error\": \"full\"}");
    patiently()
        .until(() -> disk().equals(new DiskImage(true, null, BASE, "full", SIZE, null, false)));
    qemu.backedByItsHeader().emit("BLOCK_JOB_COMPLETED", "{\"device\": \"copy-root\"}");
    patiently()
        .until(() -> disk().equals(new DiskImage(true, null, null, null, SIZE, null, false)));
    qemu.backed(false).emit("BLOCK_JOB_COMPLETED", "{\"device\": \"copy-root\"}");
    patiently()
        .until(() -> disk().equals(new DiskImage(false, null, null, null, SIZE, null, false)));
  }

  @Test
  void diskThatIsGrownIsReadAgainAndARefusalIsTold() throws IOException {
    use(timing(Duration.ofSeconds(20), NO_HEARTBEAT_YET));
    FakeQemu qemu = qemuAt("10.0.0.1").refusing(true);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    assertThatIOException().isThrownBy(() -> monitors.resize(KEY, "root", 2 * SIZE));
    patiently().until(() -> "block_resize: no".equals(disk().refusal()));
    assertThat(disk().size()).isEqualTo(SIZE);

    qemu.refusing(false);
    monitors.resize(KEY, "root", 2 * SIZE);
    patiently()
        .until(() -> disk().equals(new DiskImage(false, null, null, null, 2 * SIZE, null, false)));
  }

  /** After it QEMU answers no question about block nodes, which must not look like a lost QEMU. */
  @Test
  void diskThatIsFoundCorruptIsToldAlsoByTheNextOperator() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").backed(true);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    qemu.corrupt();
    patiently().until(() -> disk().corrupt());
    assertThat(disk()).isEqualTo(new DiskImage(true, null, BASE, null, SIZE, null, true));

    monitors.forget(KEY);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    assertThat(disk().corrupt()).isTrue();
    assertThat(disk().isKnown()).isFalse();
  }

  private static final String ALL_COPIED =
      "[{\"device\": \"copy-root\", \"status\": \"pending\", \"offset\": 9, \"len\": 9}]";

  @Test
  void mediumIsChangedAndTakenOutWhileTheGuestRuns() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").withMedium();
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    assertThat(drive())
        .isEqualTo(new CdromDrive("cdrom-iso", "sha256:" + FakeQemu.MEDIUM, false, null));

    monitors.changeMedium(KEY, "iso", OTHER);
    patiently()
        .until(() -> new CdromDrive("medium-1", OTHER.digest(), false, null).equals(drive()));
    assertThat(qemu.media()).as("what QEMU has open").containsExactly("medium-1");
    assertThat(qemu.isTrayOpen()).isFalse();
    monitors.changeMedium(KEY, "iso", OTHER);
    assertThat(qemu.commands()).as("it is there already").containsOnlyOnce("blockdev-open-tray");

    monitors.changeMedium(KEY, "iso", null);
    patiently().until(() -> drive().medium() == null);
    assertThat(qemu.media()).isEmpty();
    assertThat(qemu.isTrayOpen()).isFalse();
  }

  @Test
  void guestThatHasLockedItsDriveKeepsItsMediumAndIsFollowedUntilItLetsItGo() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").withMedium().locked(true);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    assertThat(drive().locked()).as("nobody has asked for it").isFalse();

    monitors.changeMedium(KEY, "iso", OTHER);
    patiently().until(() -> drive().locked());
    assertThat(drive().medium()).isEqualTo("cdrom-iso");
    assertThat(qemu.media()).containsExactly("cdrom-iso");

    qemu.locked(false); // of which there is no event
    patiently().until(() -> !drive().locked());
    monitors.changeMedium(KEY, "iso", OTHER);
    patiently().until(() -> "medium-1".equals(drive().medium()));
  }

  @Test
  void mediumThatCannotBeOpenedLeavesTheOldOneAndIsTold() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").withMedium().refusing(true);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    assertThatIOException().isThrownBy(() -> monitors.changeMedium(KEY, "iso", OTHER));
    patiently().until(() -> "blockdev-add: Could not open it".equals(drive().refusal()));
    assertThat(drive().medium()).isEqualTo("cdrom-iso");
    assertThat(qemu.isTrayOpen()).isFalse();

    qemu.refusing(false);
    monitors.changeMedium(KEY, "iso", OTHER);
    patiently().until(() -> "medium-1".equals(drive().medium()));
    assertThat(drive().refusal()).isNull();
  }

  @Test
  void guestThatEjectsItsCdIsHeard() throws IOException {
    use(timing(Duration.ofSeconds(20), NO_HEARTBEAT_YET));
    FakeQemu qemu = qemuAt("10.0.0.1").withMedium().locked(true);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    monitors.changeMedium(KEY, "iso", OTHER);
    patiently().until(() -> drive().locked());

    qemu.locked(false).emit("DEVICE_TRAY_MOVED", "{\"id\": \"cdrom-iso\", \"tray-open\": true}");
    patiently().until(() -> !drive().locked());
  }

  @Test
  void whatWasCopiedIsInTheFileBeforeItsHeaderSaysSo() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").backed(true);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.blockJobs(ALL_COPIED)
        .emit("JOB_STATUS_CHANGE", "{\"id\": \"copy-root\", \"status\": \"pending\"}");

    patiently().until(() -> qemu.commands().contains("job-finalize"));
    assertThat(qemu.commands()).containsSubsequence("human-monitor-command", "job-finalize");
  }

  @Test
  void diskThatCannotBeFlushedKeepsItsBase() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").backed(true).flushProblem("flush failed: No space left");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.blockJobs(ALL_COPIED)
        .emit("JOB_STATUS_CHANGE", "{\"id\": \"copy-root\", \"status\": \"pending\"}");

    patiently().until(() -> qemu.commands().contains("block-job-cancel"));
    assertThat(qemu.commands()).doesNotContain("job-finalize");
    patiently().until(() -> "flush failed: No space left".equals(disk().problem()));
  }

  private CdromDrive drive() {
    return observation().answers().cdroms().get("iso");
  }

  private DiskImage disk() {
    return observation().answers().disks().get("root");
  }

  @Test
  void resetsAreHeardAndTheWatchdogsAreItsOwn() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    String byGuest = "{\"guest\": true, \"reason\": \"guest-reset\"}";
    qemu.emit("RESET", byGuest);
    patiently().until(() -> isReset("guest-reset"));
    qemu.emit("WATCHDOG", "{\"action\": \"reset\"}").emit("RESET", byGuest);
    patiently().until(() -> isReset("watchdog"));
  }

  private boolean isReset(String reason) {
    Reset reset = observation().heard().reset();
    return reset != null && reset.reason().equals(reason);
  }

  @Test
  void reportIsReadWhenTheGuestHasWrittenItAndLeftForTheNextOperator() throws IOException {
    use(timing(Duration.ofSeconds(20), NO_HEARTBEAT_YET));
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    assertThat(observation().answers().report()).isNull();

    qemu.guestWrites(begin("1")).guestWrites(report("1", "web"));
    reported("web");
    assertThat(observation().answers().report().readAt()).isEqualTo(NOW);
    patiently().until(() -> qemu.ring().equals(report("1", "web")));

    use(TIMING);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    reported("web");
    assertThat(qemu.ring()).isEqualTo(report("1", "web"));
  }

  @Test
  void reportOfABootEndsWithIt() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    qemu.guestWrites(begin("1") + report("1", "web"));
    reported("web");

    qemu.emit("RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
    patiently().until(() -> observation().answers().report() == null);
    patiently().until(() -> qemu.ring().isEmpty());

    qemu.guestWrites(begin("2")).guestWrites(report("2", "again"));
    reported("again");
  }

  @Test
  void bootThatBeganWhileNobodyListenedEndsTheReportOfTheLastOne() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").guestWrites(report("1", "web") + begin("2"));
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    assertThat(observation().answers().report()).isNull();
    assertThat(qemu.ring()).isEmpty();
  }

  @Test
  void reportThatWasBeingWrittenIsReadOnceItIsWhole() throws IOException {
    String text = report("1", "web");
    FakeQemu qemu = qemuAt("10.0.0.1").guestWrites(text.substring(0, 60));
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.guestWrites(text.substring(60));
    reported("web");
  }

  @Test
  void guestThatFloodsIsReadAtItsPace() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").guestWrites(report("1", "web"));
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    long began = System.nanoTime();

    String flooded = "";
    for (int i = 0; i < 100; i++) {
      flooded = "flood-" + i;
      qemu.guestWrites("{garbage\n" + report("1", flooded));
    }
    reported(flooded);

    long passed = Duration.ofNanos(System.nanoTime() - began).toMillis();
    long most = 1 + passed / TIMING.reportPause().toMillis();
    assertThat(passed).isGreaterThanOrEqualTo(TIMING.reportPause().toMillis() - 100);
    assertThat(Collections.frequency(qemu.commands(), "ringbuf-read") - 1L).isBetween(1L, most);
  }

  @Test
  void reportOutlivesGarbageThatPushesItOutOfTheBuffer() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").guestWrites(report("1", "web"));
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.clearRing();
    qemu.guestWrites("garbage\n{\"bootId\": 7}\n");
    patiently().until(() -> qemu.ring().equals(report("1", "web")));

    assertThat(observation().answers().report().hostname()).isEqualTo("web");
  }

  @Test
  void addressesThatThePodHasSeenAreFollowed() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1").seen("");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    assertThat(observation().answers().seen()).isEmpty();

    qemu.seen("52:54:00:86:00:53 10.86.0.53,52:54:00:86:00:53 fd00:86::53");
    patiently().until(() -> observation().answers().seen().size() == 2);
    assertThat(observation().answers().seen())
        .containsExactly(
            new CardAddress("52:54:00:86:00:53", "10.86.0.53"),
            new CardAddress("52:54:00:86:00:53", "fd00:86::53"));

    qemu.seen("52:54:00:86:00:53 10.86.0.54, ,52:54:00:86:00:53 localhost,127.0.0.1,x 1");
    patiently().until(() -> observation().answers().seen().size() == 1);
    assertThat(observation().answers().seen())
        .containsExactly(new CardAddress("52:54:00:86:00:53", "10.86.0.54"));

    qemu.seen(
        IntStream.range(0, 200)
            .mapToObj("52:54:00:86:00:53 10.86.0.%d"::formatted)
            .collect(Collectors.joining(",")));
    patiently().until(() -> observation().answers().seen().size() > 1);
    assertThat(observation().answers().seen()).hasSize(64);
  }

  @Test
  void machineOnNoLanIsAskedOnceWhatWasSeen() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    patiently().until(() -> Collections.frequency(qemu.commands(), "query-status") > 5);

    assertThat(qemu.commands()).filteredOn("qom-get"::equals).hasSize(2);
    assertThat(observation().answers().seen()).isEmpty();
  }

  @Test
  void commandIsExecutedWhereQemuIsConnected() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    assertThatIOException().isThrownBy(() -> monitors.execute(KEY, "stop", Map.of()));
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    monitors.execute(KEY, "stop", Map.of());

    assertThat(qemu.commands()).contains("stop");
  }

  @Test
  void whatChangesNothingIsNotTold() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.emit("RTC_CHANGE", "{\"offset\": 1}");
    qemu.emit("WAKEUP", "{}");
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

    patiently().until(() -> isIn("internal-error", observation()));
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
    assertThat(lost.answers()).isNull();
    assertThat(lost.problem()).isEqualTo("QEMU closed the connection");
    assertThat(lost.heard().shutdown()).isEqualTo(new Shutdown(true, "guest-shutdown", EVENT_TIME));
  }

  @Test
  void panickedGuestIsNotedEvenIfQemuStays() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("guest-panicked").emit("GUEST_PANICKED", "{\"action\": \"pause\"}");
    patiently().until(() -> observation().heard().shutdown() != null);

    assertThat(observation().heard().shutdown())
        .isEqualTo(new Shutdown(true, "guest-panic", EVENT_TIME));
    patiently().until(() -> isIn("guest-panicked", observation()));
    assertThat(observation().channel()).isEqualTo(Channel.CONNECTED);
  }

  @Test
  void lostConnectionIsMadeAnewAndAskedForEverythingAgain() throws IOException {
    use(timing(Duration.ofSeconds(20), NO_HEARTBEAT_YET));
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("paused").dropClients();
    patiently().until(() -> isIn("paused", changes.getLast()));

    assertThat(changes)
        .extracting(Observation::channel)
        .startsWith(Channel.CONNECTED, Channel.LOST)
        .endsWith(Channel.CONNECTED);
    assertThat(observation().answers().accelerator()).isEqualTo("KVM");
    assertThat(observation().answers().seedSerial()).isEqualTo("seed-1");
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
    patiently().until(() -> observation().heard().shutdown() != null);

    FakeQemu second = qemuAt("10.0.0.2").status("prelaunch");
    monitors.watch(KEY, endpoint("10.0.0.2", "run-2"));
    assertThat(observation())
        .isEqualTo(new Observation(Channel.CONNECTING, NOW, null, null, Heard.NOTHING, "run-2"));
    connected();

    assertThat(observation().answers().runState()).isEqualTo("prelaunch");
    assertThat(second.connectedPorts()).containsExactly(7000);
    patiently().until(() -> first.connectedPorts().isEmpty());
  }

  @Test
  void sameIncarnationAtAnotherAddressKeepsTheReasonOfItsEnd() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    qemu.emit("SHUTDOWN", "{\"guest\": false, \"reason\": \"host-signal\"}");
    patiently().until(() -> observation().heard().shutdown() != null);

    monitors.watch(KEY, endpoint("10.0.0.2", "run-1"));

    assertThat(observation().heard().shutdown().reason()).isEqualTo("host-signal");
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

    assertThat(observation().answers()).isNull();
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
  void qemuWithACertificateOfAnotherCaIsAProblemThatSaysWhatToDo() throws IOException {
    CertificateAuthority other = CertificateAuthority.generate(Clock.systemUTC());
    pods.put("10.0.0.1", new FakeQemu(other.issueServer(WEB, Clock.systemUTC()).files()));
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    patiently().until(() -> observation().problem() != null);

    assertThat(observation().problem())
        .contains("made with another CA than this operator's", "kubectl delete pod");
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
            connections,
            TIMING);
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.status("paused").emit("STOP", "{}");

    patiently().until(() -> calls.size() == 2);
    assertThat(observation().answers().runState()).isEqualTo("paused");
  }

  private static String begin(String boot) {
    return "{\"bootId\":\"00000000-0000-4000-8000-00000000000%s\"}\n".formatted(boot);
  }

  private static String report(String boot, String hostname) {
    return begin(boot)
        .replace("}\n", ",\"result\":\"done\",\"hostname\":\"%s\"}\n".formatted(hostname));
  }

  private void reported(String hostname) {
    patiently()
        .until(
            () ->
                Optional.ofNullable(observation().answers())
                    .map(Answers::report)
                    .filter(report -> report.hostname().equals(hostname))
                    .isPresent());
  }

  @Test
  void connectionThatBreaksIsCountedAsLost() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();
    assertThat(connections.open).hasValue(1);

    qemu.dropClients();

    patiently().until(() -> connections.opened.get() == 2);
    assertThat(connections.open).hasValue(1);
    assertThat(connections.lost).hasValue(1);
  }

  @Test
  void qemuThatSaidWhyItEndsIsNoLoss() throws IOException {
    FakeQemu qemu = qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    qemu.emit("SHUTDOWN", "{\"guest\": true, \"reason\": \"guest-shutdown\"}");
    patiently().until(() -> observation().heard().shutdown() != null);
    qemu.close();

    patiently().until(() -> connections.open.get() == 0);
    assertThat(connections.lost).hasValue(0);
  }

  @Test
  void vmThatIsLetGoIsNoLoss() throws IOException {
    qemuAt("10.0.0.1");
    monitors.watch(KEY, endpoint("10.0.0.1", "run-1"));
    connected();

    monitors.forget(KEY);

    patiently().until(() -> connections.open.get() == 0);
    assertThat(connections.lost).hasValue(0);
  }

  @Test
  void attemptThatFailsIsNoConnection() {
    monitors.watch(KEY, endpoint("10.0.0.9", "run-1"));
    patiently().until(() -> dialedPorts.size() >= 2);

    assertThat(connections.opened).hasValue(0);
    assertThat(connections.lost).hasValue(0);
  }

  private static final class CountedConnections implements ConnectionListener {
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger lost = new AtomicInteger();

    @Override
    public void opened() {
      open.incrementAndGet();
      opened.incrementAndGet();
    }

    @Override
    public void closed(boolean byLoss) {
      open.decrementAndGet();
      if (byLoss) {
        lost.incrementAndGet();
      }
    }
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
        this::dial,
        () -> operator,
        clock(),
        key -> changes.add(observation()),
        connections,
        timing);
  }

  private Socket dial(Endpoint endpoint, int port) throws IOException {
    dialedPorts.add(port);
    FakeQemu qemu = pods.get(endpoint.address());
    if (qemu == null) {
      throw new ConnectException("Connection refused");
    }
    return qemu.dial(port);
  }

  private static boolean isIn(String runState, Observation observation) {
    return observation.isConnected() && observation.answers().runState().equals(runState);
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
        Duration.ofMillis(20),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(50),
        Duration.ofMillis(20),
        Duration.ofMillis(400));
  }

  private static Timing withStartup(Duration startup) {
    return new Timing(
        TIMING.handshake(),
        TIMING.answer(),
        TIMING.heartbeat(),
        TIMING.firstPause(),
        Duration.ofHours(1),
        startup,
        TIMING.startupPause(),
        TIMING.retry(),
        TIMING.longestRetry(),
        TIMING.proof(),
        TIMING.portPause(),
        TIMING.reportPause());
  }
}
