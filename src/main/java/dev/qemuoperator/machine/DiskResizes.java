package dev.qemuoperator.machine;

import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.QmpErrorException;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.logging.Logger;

/** Has QEMU grow disks while the guest runs ({@code block_resize}). */
final class DiskResizes {

  private static final Logger LOG = Logger.getLogger(DiskResizes.class);

  /** Until QEMU is asked again for what it has refused. */
  static final Duration AGAIN = Duration.ofMinutes(5);

  private final Command command;
  private final Clock clock;
  private final Map<String, Map<String, Asked>> asked = new ConcurrentHashMap<>();

  /** What QEMU is told to do. */
  interface Command {

    void resize(String vm, String disk, long bytes) throws IOException;
  }

  private record Asked(Instant at, String incarnation, long bytes) {

    boolean isFor(String run, long size) {
      return incarnation.equals(run) && bytes == size;
    }
  }

  DiskResizes(Command command, Clock clock) {
    this.command = command;
    this.clock = clock;
  }

  /** What came of it is in QEMU's next answers. */
  void advance(String vm, MachineInputs in) throws IOException {
    String run = in.qmp().map(Observation::incarnation).orElse("");
    for (DiskGrowth growth : DiskGrowth.of(in, Map.of())) {
      boolean mayBeAsked = growth.obstacle().filter(known -> !known.isRefusalOfQemu()).isEmpty();
      if (mayBeAsked && isDue(vm, growth, run)) {
        grow(vm, growth, run);
      }
    }
  }

  void forget(String vm) {
    asked.remove(vm);
  }

  private Map<String, Asked> of(String vm) {
    return asked.computeIfAbsent(vm, name -> new ConcurrentHashMap<>());
  }

  private boolean isDue(String vm, DiskGrowth growth, String run) {
    Asked before = of(vm).get(growth.disk().name());
    return before == null
        || !before.isFor(run, growth.wants().bytes())
        || !clock.instant().isBefore(before.at().plus(AGAIN));
  }

  private void grow(String vm, DiskGrowth growth, String run) throws IOException {
    String disk = growth.disk().name();
    long bytes = growth.wants().bytes();
    try {
      command.resize(vm, disk, bytes);
    } catch (QmpErrorException e) {
      LOG.warnf("QEMU refused vm=%s disk=%s problem=%s", vm, disk, e.getMessage());
    }
    of(vm).put(disk, new Asked(clock.instant(), run, bytes));
  }
}
