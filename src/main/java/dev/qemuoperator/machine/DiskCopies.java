package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.Ready;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.QmpErrorException;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Condition;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.logging.Logger;

/**
 * Has QEMU copy the base images of disks on claims into them while the guest runs ({@code
 * block-stream}). What was copied stays so: after an end in the middle the next run goes on from
 * there.
 */
final class DiskCopies {

  private static final Logger LOG = Logger.getLogger(DiskCopies.class);

  /** From Ready on: the guest's boot comes first. */
  private static final Duration SETTLED = Duration.ofSeconds(30);

  /** Until QEMU has told of what it was asked for a moment ago. */
  private static final Duration TOLD = Duration.ofSeconds(10);

  /** Until QEMU is asked again for what it has refused. */
  private static final Duration AGAIN = Duration.ofMinutes(5);

  private static final long MEBIBYTE = 1024L * 1024;

  private final Commands commands;
  private final int mebibytesPerSecond;
  private final Clock clock;
  private final Map<String, Map<String, Asked>> asked = new ConcurrentHashMap<>();

  /** What QEMU is told to do. */
  interface Commands {

    void copy(String vm, String disk, long bytesPerSecond) throws IOException;

    void cancelCopy(String vm, String disk) throws IOException;
  }

  private record Asked(Instant at, boolean refused) {}

  DiskCopies(Commands commands, int mebibytesPerSecond, Clock clock) {
    this.commands = commands;
    this.mebibytesPerSecond = mebibytesPerSecond;
    this.clock = clock;
  }

  /** Returns whether nothing is left to begin; else the caller should come back. */
  boolean advance(String vm, MachineInputs in, VirtualMachineStatus status) throws IOException {
    boolean nothingLeft = true;
    for (Disk disk : in.spec().disks()) {
      Optional<DiskImage> image =
          in.qmp()
              .map(Observation::answers)
              .map(answers -> answers.disks().get(disk.name()))
              .filter(DiskImage::backed);
      if (!disk.storage().isClaimed() || image.isEmpty()) {
        continue;
      }
      boolean runs = image.get().copied() != null;
      if (Boolean.FALSE.equals(disk.selfContained())) {
        of(vm).remove(disk.name());
        if (runs) {
          commands.cancelCopy(vm, disk.name());
        }
      } else if (!runs) {
        nothingLeft &= begin(vm, disk.name(), image.get(), status);
      }
    }
    return nothingLeft;
  }

  void forget(String vm) {
    asked.remove(vm);
  }

  private Map<String, Asked> of(String vm) {
    return asked.computeIfAbsent(vm, name -> new ConcurrentHashMap<>());
  }

  /** Returns whether it need not be tried again soon. */
  private boolean begin(String vm, String disk, DiskImage image, VirtualMachineStatus status)
      throws IOException {
    Optional<Instant> ready = readySince(status);
    Optional<Asked> before = Optional.ofNullable(of(vm).get(disk));
    if (ready.isEmpty() || (image.problem() != null && before.isPresent())) {
      return true; // the next pass comes when it is ready; a volume that lacked room will again
    }
    Instant now = clock.instant();
    Instant due =
        before
            .map(last -> last.at().plus(last.refused() ? AGAIN : TOLD))
            .orElse(ready.get().plus(SETTLED));
    if (due.isAfter(now)) {
      return false;
    }
    try {
      of(vm).put(disk, new Asked(now, false));
      commands.copy(vm, disk, mebibytesPerSecond * MEBIBYTE);
      return true;
    } catch (QmpErrorException e) {
      LOG.warnf("QEMU refused vm=%s disk=%s problem=%s", vm, disk, e.getMessage());
      of(vm).put(disk, new Asked(now, true));
      return false;
    }
  }

  private static Optional<Instant> readySince(VirtualMachineStatus status) {
    return ConditionList.find(status.conditions(), Ready.TYPE)
        .filter(ready -> "True".equals(ready.getStatus()))
        .map(Condition::getLastTransitionTime)
        .map(Instant::parse);
  }
}
