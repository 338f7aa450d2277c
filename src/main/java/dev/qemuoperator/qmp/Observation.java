package dev.qemuoperator.qmp;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of a VM's QEMU now.
 *
 * @param channel whether QEMU can be asked
 * @param since when the channel came into that state
 * @param problem why the channel is not connected, for a person; null while there is none to tell
 * @param answers what QEMU answered; null unless the channel is {@code CONNECTED}: nothing is kept
 *     as if it were current
 * @param heard what QEMU announced while this operator listened
 * @param incarnation see {@link Endpoint}
 */
public record Observation(
    Channel channel,
    Instant since,
    String problem,
    Answers answers,
    Heard heard,
    String incarnation) {

  /** The state of the connection to QEMU. */
  public enum Channel {
    /** Not connected yet since this incarnation is watched. */
    CONNECTING,
    CONNECTED,
    /** Was connected to this incarnation; is being dialed again. */
    LOST
  }

  /**
   * Answers of QEMU to queries.
   *
   * @param runState QEMU's RunState: {@code running}, {@code paused}, {@code io-error} …
   * @param accelerator {@code KVM} or {@code TCG}
   * @param qemuVersion such as {@code 10.0.13}
   * @param seedSerial serial of the device {@code cloud-init}; null if there is no such device
   * @param report what the guest reported in this boot, at the end of cloud-init; null if nothing
   * @param seen the addresses that the pod has seen the guest use on its LANs
   * @param disks by the disk's name
   * @param cdroms by the CD-ROM drive's name
   */
  public record Answers(
      String runState,
      String accelerator,
      String qemuVersion,
      String seedSerial,
      GuestReport report,
      List<CardAddress> seen,
      Map<String, DiskImage> disks,
      Map<String, CdromDrive> cdroms) {

    Answers with(
        String runState,
        GuestReport report,
        List<CardAddress> seen,
        Map<String, DiskImage> disks,
        Map<String, CdromDrive> cdroms) {
      return new Answers(
          runState, accelerator, qemuVersion, seedSerial, report, seen, disks, cdroms);
    }
  }

  /**
   * Events of this incarnation. None of them is a state: one may have come while nobody listened.
   *
   * @param shutdown why the run ends or ended; null if nothing was heard of an end
   * @param ioError the last failure of a disk; null if none was heard
   * @param powerButtons how often the power button was pressed
   * @param reset the last reset; null if none was heard
   */
  public record Heard(Shutdown shutdown, IoError ioError, int powerButtons, Reset reset) {
    public static final Heard NOTHING = new Heard(null, null, 0, null);

    Heard withShutdown(Shutdown end) {
      return new Heard(Shutdown.later(shutdown, end), ioError, powerButtons, reset);
    }

    Heard withIoError(IoError error) {
      return new Heard(shutdown, error, powerButtons, reset);
    }

    Heard withPowerButton() {
      return new Heard(shutdown, ioError, powerButtons + 1, reset);
    }

    Heard withReset(Reset last) {
      return new Heard(shutdown, ioError, powerButtons, last);
    }
  }

  static Observation connecting(Instant now, String incarnation, Heard heard) {
    return new Observation(Channel.CONNECTING, now, null, null, heard, incarnation);
  }

  Observation connected(Instant now, Answers answers) {
    return new Observation(Channel.CONNECTED, now, null, answers, heard, incarnation);
  }

  Observation disconnected(Instant now, String problem) {
    Channel next = channel == Channel.CONNECTING ? Channel.CONNECTING : Channel.LOST;
    Instant when = next == channel ? since : now;
    return new Observation(next, when, problem, null, heard, incarnation);
  }

  Observation with(
      String runState,
      Optional<GuestReport> report,
      List<CardAddress> seen,
      Map<String, DiskImage> disks,
      Map<String, CdromDrive> cdroms) {
    return new Observation(
        channel,
        since,
        problem,
        answers.with(runState, report.orElse(null), seen, disks, cdroms),
        heard,
        incarnation);
  }

  Observation with(Heard heard) {
    return new Observation(channel, since, problem, answers, heard, incarnation);
  }

  public boolean isConnected() {
    return channel == Channel.CONNECTED;
  }
}
