package dev.qemuoperator.machine;

import dev.qemuoperator.qmp.Medium;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.QmpErrorException;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.logging.Logger;

/** Has QEMU change what is in CD-ROM drives while the guest runs. */
final class MediaChanger {

  private static final Logger LOG = Logger.getLogger(MediaChanger.class);

  /** Until QEMU is asked again for what it has refused, and the guest for what it has locked. */
  static final Duration AGAIN = DiskResizes.AGAIN;

  private final Command command;
  private final Clock clock;
  private final Map<String, Map<String, Asked>> asked = new ConcurrentHashMap<>();

  /** What QEMU is told to do. */
  interface Command {

    void change(String vm, String drive, Medium medium) throws IOException;
  }

  private record Asked(Instant at, String incarnation, Optional<Medium> medium) {

    boolean isFor(String run, Optional<Medium> wanted) {
      return incarnation.equals(run) && medium.equals(wanted);
    }
  }

  MediaChanger(Command command, Clock clock) {
    this.command = command;
    this.clock = clock;
  }

  /** What came of it is in QEMU's next answers. */
  void advance(String vm, MachineInputs in) throws IOException {
    String run = in.qmp().map(Observation::incarnation).orElse("");
    for (MediumChange change : MediumChange.of(in, Map.of())) {
      boolean free = change.obstacle().isEmpty();
      boolean isAgain = change.obstacle().filter(MediaChanger::mayPass).isPresent();
      if (free || (isAgain && isDue(vm, change, run))) {
        change(vm, change, run);
      }
    }
  }

  void forget(String vm) {
    asked.remove(vm);
  }

  /** Whether only QEMU or the guest keeps it from being changed. */
  private static boolean mayPass(Obstacle obstacle) {
    return obstacle.isRefusalOfQemu() || obstacle.reason().equals(MediumChange.LOCKED);
  }

  private Map<String, Asked> of(String vm) {
    return asked.computeIfAbsent(vm, name -> new ConcurrentHashMap<>());
  }

  private boolean isDue(String vm, MediumChange change, String run) {
    Asked before = of(vm).get(change.cdrom().name());
    return before == null
        || !before.isFor(run, change.medium())
        || !clock.instant().isBefore(before.at().plus(AGAIN));
  }

  private void change(String vm, MediumChange change, String run) throws IOException {
    String drive = change.cdrom().name();
    of(vm).put(drive, new Asked(clock.instant(), run, change.medium()));
    try {
      command.change(vm, drive, change.medium().orElse(null));
    } catch (QmpErrorException e) {
      LOG.warnf("QEMU refused vm=%s drive=%s problem=%s", vm, drive, e.getMessage());
    }
  }
}
