package dev.qemuoperator.qmp;

import java.time.Duration;

/**
 * How long QMP connections wait.
 *
 * @param handshake for TLS and QEMU's greeting, per read: a second client of a monitor hangs here
 * @param answer for the answer to one command
 * @param heartbeat from the last answer to the next query of a quiet QEMU
 * @param firstPause before the second attempt to connect; it doubles from there
 * @param longestPause the most it doubles to
 * @param startup how long a fresh QEMU may need until it listens
 * @param startupPause the most the pause doubles to meanwhile
 * @param retry between two attempts to let a guest go on whose disk has failed
 * @param proof how long a guest must run after a failed write before it counts as running
 * @param portPause between two readings of what the guest reports
 * @param reportPause the same once this boot has reported: a guest may change its mind, not flood
 */
public record Timing(
    Duration handshake,
    Duration answer,
    Duration heartbeat,
    Duration firstPause,
    Duration longestPause,
    Duration startup,
    Duration startupPause,
    Duration retry,
    Duration proof,
    Duration portPause,
    Duration reportPause) {

  public static final Timing DEFAULT =
      new Timing(
          Duration.ofSeconds(5),
          // a peer that fell silent is noticed within five seconds
          Duration.ofSeconds(3),
          Duration.ofSeconds(2),
          Duration.ofMillis(100),
          Duration.ofSeconds(5),
          Duration.ofSeconds(5),
          Duration.ofMillis(250),
          Duration.ofSeconds(5),
          Duration.ofMillis(500),
          Duration.ofSeconds(1),
          Duration.ofSeconds(30));

  /**
   * The pause after one more failed attempt.
   *
   * @param previous the pause before it; zero if it was the first
   * @param age since the VM is watched
   */
  Duration pauseAfter(Duration previous, Duration age) {
    Duration doubled = previous.isZero() ? firstPause : previous.multipliedBy(2);
    Duration most = age.compareTo(startup) < 0 ? startupPause : longestPause;
    return doubled.compareTo(most) < 0 ? doubled : most;
  }
}
