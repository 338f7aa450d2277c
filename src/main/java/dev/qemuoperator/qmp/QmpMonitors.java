package dev.qemuoperator.qmp;

import dev.qemuoperator.qmp.Observation.Answers;
import dev.qemuoperator.qmp.Observation.Heard;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;

/**
 * Keeps a QMP connection to every VM that is watched, and what QEMU says there.
 *
 * <p>What QEMU is doing comes from queries, at each connect and after events; an event alone is
 * never remembered as a state, because one may have been missed while nobody was connected.
 */
public final class QmpMonitors implements AutoCloseable {
  private final Monitor.Edges edges;
  private final Consumer<String> changed;
  private final Map<String, Monitor> monitors = new ConcurrentHashMap<>();
  private boolean closed;

  /**
   * @param tls asked for at each attempt to connect, so it may give a younger certificate
   * @param changed called with the key of a VM after its observation changed, on a thread of that
   *     VM and without locks; not for the first observation, which {@link #watch} itself makes
   * @param connections told of each connection
   */
  public QmpMonitors(
      Dialer dialer,
      Supplier<SSLContext> tls,
      Clock clock,
      Consumer<String> changed,
      ConnectionListener connections,
      Timing timing) {
    this.edges = new Monitor.Edges(dialer, tls, clock, connections, timing);
    this.changed = changed;
  }

  /**
   * From now on there is an observation of this VM. To watch the same endpoint again changes
   * nothing; any other one replaces it and is dialed at once.
   */
  public synchronized void watch(String key, Endpoint endpoint) {
    Monitor watched = monitors.get(key);
    if (closed || (watched != null && watched.endpoint().equals(endpoint))) {
      return;
    }
    Heard known = Heard.NOTHING;
    if (watched != null) {
      watched.stop();
      known = watched.heardOf(endpoint.incarnation());
    }
    Monitor next = new Monitor(key, endpoint, known, edges, changed);
    // before it runs: who is called back must find it
    monitors.put(key, next);
    next.start();
  }

  public synchronized void forget(String key) {
    Monitor watched = monitors.remove(key);
    if (watched != null) {
      watched.stop();
    }
  }

  /** Empty if the VM is not watched. */
  public Optional<Observation> observation(String key) {
    return Optional.ofNullable(monitors.get(key)).map(Monitor::observation);
  }

  /**
   * Runs a command of QMP and waits for its answer.
   *
   * @throws IOException if the VM is not watched, not connected, or QEMU refuses the command
   */
  public void execute(String key, String command, Map<String, ?> arguments) throws IOException {
    watched(key).execute(command, arguments);
  }

  /**
   * Grows a disk while the guest runs; see {@link Answers#disks}.
   *
   * @param bytes whole sectors of 512
   * @throws IOException as {@link #execute}
   */
  public void resize(String key, String disk, long bytes) throws IOException {
    watched(key).resize(disk, bytes);
  }

  /**
   * Changes what is in a CD-ROM drive while the guest runs, unless the guest has locked it: then it
   * is asked to eject; see {@link Answers#cdroms}.
   *
   * @param medium null: the drive is to be empty
   * @throws IOException as {@link #execute}
   */
  public void changeMedium(String key, String drive, Medium medium) throws IOException {
    watched(key).changeMedium(drive, medium);
  }

  private Monitor watched(String key) throws ConnectException {
    Monitor watched = monitors.get(key);
    if (watched == null) {
      throw new ConnectException("nobody watches the QEMU of " + key);
    }
    return watched;
  }

  /**
   * Begins to copy the base image of a disk into it, and returns; see {@link Answers#disks}.
   *
   * @throws IOException as {@link #execute}
   */
  public void copy(String key, String disk, long bytesPerSecond) throws IOException {
    execute(
        key,
        "block-stream",
        Map.of(
            "job-id",
            DiskImages.job(disk),
            "device",
            DiskImages.node(disk),
            "speed",
            bytesPerSecond,
            "auto-finalize",
            false));
  }

  /**
   * Ends the copying; what was copied stays.
   *
   * @throws IOException as {@link #execute}
   */
  public void cancelCopy(String key, String disk) throws IOException {
    execute(key, "block-job-cancel", Map.of("device", DiskImages.job(disk)));
  }

  /** Forgets all; nothing is watched any more. */
  @Override
  public synchronized void close() {
    closed = true;
    monitors.values().forEach(Monitor::stop);
    monitors.clear();
  }
}
