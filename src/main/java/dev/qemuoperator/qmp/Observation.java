package dev.qemuoperator.qmp;

import java.time.Instant;

/**
 * What is known of a VM's QEMU now. What QEMU answered ({@code runState} to {@code seedSerial}) is
 * null unless the channel is {@code CONNECTED}: nothing is kept as if it were current.
 *
 * @param channel whether QEMU can be asked
 * @param since when the channel came into that state
 * @param problem why the channel is not connected, for a person; null while there is none to tell
 * @param runState QEMU's RunState: {@code running}, {@code paused}, {@code io-error} …
 * @param accelerator {@code KVM} or {@code TCG}
 * @param qemuVersion such as {@code 10.0.13}
 * @param seedSerial serial of the device {@code cloud-init}; null if there is no such device
 * @param shutdown why the run ends or ended, as told by an event of this incarnation; null if none
 *     was seen
 * @param incarnation see {@link Endpoint}
 */
public record Observation(
    Channel channel,
    Instant since,
    String problem,
    String runState,
    String accelerator,
    String qemuVersion,
    String seedSerial,
    Shutdown shutdown,
    String incarnation) {

  /** The state of the connection to QEMU. */
  public enum Channel {
    /** Not connected yet since this incarnation is watched. */
    CONNECTING,
    CONNECTED,
    /** Was connected to this incarnation; is being dialed again. */
    LOST
  }

  static Observation connecting(Instant now, String incarnation, Shutdown shutdown) {
    return new Observation(
        Channel.CONNECTING, now, null, null, null, null, null, shutdown, incarnation);
  }

  Observation connected(
      Instant now, String runState, String accelerator, String qemuVersion, String seedSerial) {
    return new Observation(
        Channel.CONNECTED,
        now,
        null,
        runState,
        accelerator,
        qemuVersion,
        seedSerial,
        shutdown,
        incarnation);
  }

  Observation disconnected(Instant now, String problem) {
    Channel next = channel == Channel.CONNECTING ? Channel.CONNECTING : Channel.LOST;
    Instant since = next == channel ? this.since : now;
    return new Observation(next, since, problem, null, null, null, null, shutdown, incarnation);
  }

  Observation withRunState(String runState) {
    return new Observation(
        channel,
        since,
        problem,
        runState,
        accelerator,
        qemuVersion,
        seedSerial,
        shutdown,
        incarnation);
  }

  Observation withShutdown(Shutdown shutdown) {
    return new Observation(
        channel,
        since,
        problem,
        runState,
        accelerator,
        qemuVersion,
        seedSerial,
        shutdown,
        incarnation);
  }
}
