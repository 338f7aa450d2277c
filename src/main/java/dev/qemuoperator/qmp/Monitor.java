package dev.qemuoperator.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import dev.qemuoperator.qmp.Observation.Answers;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Watches one QEMU on a virtual thread of its own: connect, ask, listen, and again. */
final class Monitor {
  private static final Logger LOG = LoggerFactory.getLogger(Monitor.class);

  private static final int PORT = 7000;

  /**
   * A monitor serves one client at a time, and QEMU does not notice that its client's node is gone:
   * without a second one, such a VM could not be seen until its next boot.
   */
  private static final int SPARE_PORT = 7001;

  /** Events after which the run state may be another, or the end is near. */
  private static final Set<String> TELLING =
      Set.of(
          "STOP",
          "RESUME",
          "SHUTDOWN",
          "RESET",
          "SUSPEND",
          "SUSPEND_DISK",
          "WAKEUP",
          "WATCHDOG",
          "GUEST_PANICKED",
          "BLOCK_IO_ERROR",
          "POWERDOWN",
          "MIGRATION");

  /** QEMU's RunState of a guest that waits for a disk. */
  private static final String IO_ERROR = "io-error";

  /** What all monitors share. */
  record Edges(
      Dialer dialer,
      Supplier<SSLContext> tls,
      Clock clock,
      ConnectionListener connections,
      Timing timing) {}

  /** What the reading thread leaves for the watching one: small, however much QEMU sends. */
  private static final class Inbox implements QmpConnection.Listener {
    private final Clock clock;
    private final WatchdogReset watchdog = new WatchdogReset();
    private boolean news;
    private boolean reset;
    private boolean written;
    private final List<Event> ofDisks = new ArrayList<>();
    private final List<DiskImages.Resized> resized = new ArrayList<>();
    private boolean trayMoved;
    private final List<CdromDrives.Told> ofMedia = new ArrayList<>();
    private Heard heard;
    private IOException lost;

    Inbox(Heard heard, Clock clock) {
      this.heard = heard;
      this.clock = clock;
    }

    @Override
    public synchronized void event(Event announced) {
      Event event = watchdog.attribute(announced);
      if (ReportPort.isWritten(event)) {
        written = true;
        wake();
      }
      if (DiskImages.isNews(event)) {
        ofDisks.add(event);
        wake();
      }
      if (CdromDrives.isNews(event)) {
        trayMoved = true;
        wake();
      }
      if (TELLING.contains(event.name())) {
        reset |= event.name().equals("RESET");
        Shutdown.of(event).map(this::dated).ifPresent(end -> heard = heard.withShutdown(end));
        Reset.of(event, clock.instant()).ifPresent(last -> heard = heard.withReset(last));
        heard =
            switch (event.name()) {
              case "BLOCK_IO_ERROR" ->
                  IoError.stops(event) ? heard.withIoError(IoError.of(event)) : heard;
              case "POWERDOWN" -> heard.withPowerButton();
              default -> heard;
            };
        wake();
      }
    }

    synchronized void told(DiskImages.Resized disk) {
      resized.add(disk);
      wake();
    }

    synchronized void told(CdromDrives.Told medium) {
      ofMedia.add(medium);
      wake();
    }

    private void wake() {
      news = true;
      notifyAll();
    }

    synchronized void tell(DiskImages disks) {
      ofDisks.forEach(disks::hear);
      ofDisks.clear();
      resized.forEach(disks::hear);
      resized.clear();
    }

    synchronized void tell(CdromDrives cdroms) {
      if (trayMoved) {
        cdroms.trayHasMoved();
      }
      trayMoved = false;
      ofMedia.forEach(cdroms::hear);
      ofMedia.clear();
    }

    synchronized void tell(ReportPort port) {
      if (reset) {
        port.reset();
      }
      if (written) {
        port.written();
      }
      reset = false;
      written = false;
    }

    private Shutdown dated(Shutdown end) {
      return end.at() != null ? end : new Shutdown(end.byGuest(), end.reason(), clock.instant());
    }

    @Override
    public synchronized void lost(IOException why) {
      lost = why;
      wake();
    }

    /** A wake-up without a cause only makes a heartbeat early. */
    synchronized void awaitNews(Duration most) throws InterruptedException {
      if (!news) {
        wait(Math.max(1, most.toMillis())); // 0 would be for ever
      }
      news = false;
    }

    synchronized Heard heard() {
      return heard;
    }

    synchronized void throwIfLost() throws IOException {
      if (lost != null) {
        throw lost;
      }
    }
  }

  /** A connection that is open, and where what it hears is left. */
  private record Session(QmpConnection connection, Inbox inbox) {}

  private final Endpoint endpoint;
  private final Edges edges;
  private final String key;
  private final Consumer<String> changed;
  private final ReportPort port;
  private final SeenAddresses seen = new SeenAddresses();
  private final DiskImages disks = new DiskImages();
  private final CdromDrives cdroms = new CdromDrives();
  private final Thread thread;
  private final long began = System.nanoTime();
  private volatile boolean stopped;
  private volatile Observation observation;
  private volatile Optional<Session> current = Optional.empty();

  Monitor(String key, Endpoint endpoint, Heard known, Edges edges, Consumer<String> changed) {
    this.key = key;
    this.endpoint = endpoint;
    this.edges = edges;
    this.changed = changed;
    this.port = new ReportPort(edges.clock(), edges.timing());
    this.observation =
        Observation.connecting(edges.clock().instant(), endpoint.incarnation(), known);
    this.thread = Thread.ofVirtual().name("qmp " + key).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** Does not wait; the interrupt also closes a socket on which the thread is blocked. */
  void stop() {
    stopped = true;
    thread.interrupt();
  }

  Endpoint endpoint() {
    return endpoint;
  }

  Observation observation() {
    return observation;
  }

  Heard heardOf(String incarnation) {
    return endpoint.incarnation().equals(incarnation) ? observation.heard() : Heard.NOTHING;
  }

  /**
   * Runs a command over the connection that is open.
   *
   * @throws IOException if there is none, it breaks, or QEMU refuses
   */
  void execute(String command, Map<String, ?> arguments) throws IOException {
    session().connection().execute(command, arguments);
  }

  /** As {@link #execute}; what came of it is in the observation that follows. */
  void resize(String disk, long bytes) throws IOException {
    Session session = session();
    try {
      session
          .connection()
          .execute("block_resize", Map.of("node-name", DiskImages.node(disk), "size", bytes));
      session.inbox().told(new DiskImages.Resized(disk, null));
    } catch (QmpErrorException e) {
      session.inbox().told(new DiskImages.Resized(disk, e.getMessage()));
      throw e;
    }
  }

  /** As {@link #execute}; what came of it is in the observation that follows. */
  void changeMedium(String drive, Medium medium) throws IOException {
    Session session = session();
    try {
      boolean locked = CdromDrives.change(session.connection(), drive, medium);
      session.inbox().told(new CdromDrives.Told(drive, locked, null));
    } catch (QmpErrorException e) {
      session.inbox().told(new CdromDrives.Told(drive, false, e.getMessage()));
      throw e;
    }
  }

  private Session session() throws ConnectException {
    return current.orElseThrow(() -> new ConnectException("not connected to QEMU"));
  }

  private void run() {
    Duration pause = Duration.ZERO;
    try {
      while (!stopped) {
        Duration lasted = connection();
        // only a connection that held ends the doubling: QEMU may greet and fall over each time
        pause = lasted.compareTo(edges.timing().longestPause()) < 0 ? pause : Duration.ZERO;
        pause = edges.timing().pauseAfter(pause, age());
        Thread.sleep(pause);
      }
    } catch (InterruptedException e) {
      // stopped
    }
  }

  /** From the dialing to the loss of one connection. Returns how long it was connected. */
  private Duration connection() throws InterruptedException {
    Inbox inbox = new Inbox(observation.heard(), edges.clock());
    Optional<Long> connected = Optional.empty();
    try (QmpConnection connection = connect(inbox)) {
      connected = Optional.of(System.nanoTime());
      edges.connections().opened();
      current = Optional.of(new Session(connection, inbox));
      resync(connection);
      listen(connection, inbox);
    } catch (IOException e) {
      disconnected(inbox, problem(e));
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).addKeyValue("vm", key).log("The QMP client failed");
      disconnected(inbox, "the operator failed to talk to QEMU: " + e);
    } finally {
      current = Optional.empty();
      connected.ifPresent(since -> edges.connections().closed(isLoss(inbox)));
    }
    return connected
        .map(since -> Duration.ofNanos(System.nanoTime() - since))
        .orElse(Duration.ZERO);
  }

  /** Neither was the VM let go, nor had QEMU announced its end. */
  private boolean isLoss(Inbox inbox) {
    return !stopped && inbox.heard().shutdown() == null;
  }

  private QmpConnection connect(Inbox inbox) throws IOException {
    try {
      return connect(PORT, inbox);
    } catch (SocketTimeoutException | NoGreetingException taken) {
      try {
        return connect(SPARE_PORT, inbox);
      } catch (IOException e) {
        taken.addSuppressed(e);
        throw taken;
      }
    }
  }

  private QmpConnection connect(int port, Inbox inbox) throws IOException {
    SSLContext tls = edges.tls().get();
    Socket socket = edges.dialer().dial(endpoint, port);
    return QmpConnection.open(socket, tls, endpoint.serverName(), edges.timing(), inbox);
  }

  private void resync(QmpConnection connection) throws IOException {
    String runState = runState(connection);
    JsonNode kvm = connection.execute("query-kvm");
    JsonNode version = connection.execute("query-version").path("qemu");
    port.read(connection);
    seen.read(connection);
    disks.read(connection);
    cdroms.read(connection);
    publish(
        observation.connected(
            edges.clock().instant(),
            new Answers(
                runState,
                kvm.path("enabled").asBoolean() ? "KVM" : "TCG",
                "%d.%d.%d"
                    .formatted(
                        version.path("major").asInt(),
                        version.path("minor").asInt(),
                        version.path("micro").asInt()),
                seedSerial(connection),
                port.report().orElse(null),
                seen.addresses(),
                disks.images(),
                cdroms.drives())));
  }

  private static String runState(QmpConnection connection) throws IOException {
    return connection.execute("query-status").path("status").asText();
  }

  private static String seedSerial(QmpConnection connection) throws IOException {
    try {
      JsonNode serial =
          connection.execute(
              "qom-get", Map.of("path", "/machine/peripheral/cloud-init", "property", "serial"));
      return serial.isTextual() && !serial.textValue().isEmpty() ? serial.textValue() : null;
    } catch (QmpErrorException e) {
      return null; // this machine has no such device
    }
  }

  /** Until the connection is lost. The heartbeat is also what makes TCP notice a dead peer. */
  private void listen(QmpConnection connection, Inbox inbox)
      throws IOException, InterruptedException {
    long failed = System.nanoTime();
    Duration retry = edges.timing().retry();
    while (true) {
      inbox.awaitNews(port.pause(edges.timing().heartbeat()));
      inbox.throwIfLost();
      publish(observation.with(inbox.heard()));
      inbox.tell(port);
      port.readIfDue(connection);
      seen.readAgain(connection);
      inbox.tell(disks);
      disks.readIfDue(connection);
      inbox.tell(cdroms);
      cdroms.readIfDue(connection);
      String runState = runState(connection);
      if (runState.equals(IO_ERROR) && System.nanoTime() - failed >= retry.toNanos()) {
        runState = tryAgain(connection, inbox);
        failed = System.nanoTime();
        // each attempt is a few lines in the event log of the pod
        retry = min(retry.multipliedBy(2), edges.timing().longestRetry());
      } else if (!runState.equals(IO_ERROR)) {
        retry = edges.timing().retry();
      }
      publish(
          observation
              .with(inbox.heard())
              .with(runState, port.report(), seen.addresses(), disks.images(), cdroms.drives()));
    }
  }

  private static Duration min(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  /**
   * QEMU repeats the failed request when the guest goes on: at once it fails again, or there is
   * room now. Only the latter is told.
   */
  private String tryAgain(QmpConnection connection, Inbox inbox)
      throws IOException, InterruptedException {
    try {
      connection.execute("cont");
    } catch (QmpErrorException e) {
      return runState(connection); // QEMU will not have it: the guest has ended meanwhile
    }
    String runState = "running";
    for (long until = System.nanoTime() + edges.timing().proof().toNanos();
        runState.equals("running") && System.nanoTime() < until; ) {
      inbox.awaitNews(edges.timing().proof());
      inbox.throwIfLost();
      runState = runState(connection);
    }
    return runState;
  }

  /** What arrived while a command failed counts, too: QEMU says why it ends just before it does. */
  private void disconnected(Inbox inbox, String problem) {
    publish(observation.with(inbox.heard()).disconnected(edges.clock().instant(), problem));
  }

  /** That a QEMU which has just begun does not listen yet is no problem to tell anybody. */
  private String problem(IOException e) {
    boolean starting =
        observation.channel() == Channel.CONNECTING
            && age().compareTo(edges.timing().startup()) < 0;
    if (starting && e instanceof ConnectException) {
      return null;
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private Duration age() {
    return Duration.ofNanos(System.nanoTime() - began);
  }

  private void publish(Observation next) {
    if (stopped || next.equals(observation)) {
      return;
    }
    observation = next;
    try {
      changed.accept(key);
    } catch (RuntimeException e) {
      // the next change is told all the same
      LOG.atError().setCause(e).addKeyValue("vm", key).log("Nobody took a change of a VM");
    }
  }
}
