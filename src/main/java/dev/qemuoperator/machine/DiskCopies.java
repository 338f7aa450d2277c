package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.Ready;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.QmpMonitors;
import dev.qemuoperator.status.ConditionList;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Has QEMU copy the base images of disks on claims into them while the guest runs ({@code
 * block-stream}). What was copied stays so: after an end in the middle the next run goes on from
 * there.
 */
final class DiskCopies {

  /** The guest's boot comes first. */
  private static final Duration SETTLED = Duration.ofSeconds(30);

  /** After a failure, such as for a volume without room. */
  private static final Duration AGAIN = Duration.ofMinutes(5);

  private static final long MEBIBYTE = 1024L * 1024;

  private final QmpMonitors monitors;
  private final int mebibytesPerSecond;
  private final Clock clock;
  private final Map<String, Map<String, Instant>> begun = new ConcurrentHashMap<>();

  DiskCopies(QmpMonitors monitors, int mebibytesPerSecond, Clock clock) {
    this.monitors = monitors;
    this.mebibytesPerSecond = mebibytesPerSecond;
    this.clock = clock;
  }

  /** Returns whether nothing is left to begin; else the caller should come back. */
  boolean advance(String key, MachineInputs in, VirtualMachineStatus status) throws IOException {
    if (!isReady(status)) {
      return true; // the next pass comes when it is
    }
    boolean nothingLeft = true;
    for (Disk disk : in.spec().disks()) {
      Optional<DiskImage> image =
          in.qmp()
              .map(Observation::answers)
              .map(answers -> answers.disks().get(disk.name()))
              .filter(DiskImage::backed);
      if (disk.storage().claim() == null || image.isEmpty()) {
        continue;
      }
      boolean runs = image.get().copied() != null;
      if (Boolean.FALSE.equals(disk.selfContained())) {
        if (runs) {
          monitors.cancelCopy(key, disk.name());
        }
      } else if (!runs) {
        nothingLeft &= isDue(key, disk, image.get(), in) && begin(key, disk);
      }
    }
    return nothingLeft;
  }

  void forget(String key) {
    begun.remove(key);
  }

  private boolean begin(String key, Disk disk) throws IOException {
    begun.computeIfAbsent(key, vm -> new ConcurrentHashMap<>()).put(disk.name(), clock.instant());
    monitors.copy(key, disk.name(), mebibytesPerSecond * MEBIBYTE);
    return true;
  }

  private boolean isDue(String key, Disk disk, DiskImage image, MachineInputs in) {
    Instant now = clock.instant();
    boolean failedLately =
        image.problem() != null
            && Optional.ofNullable(begun.getOrDefault(key, Map.of()).get(disk.name()))
                .filter(last -> last.plus(AGAIN).isAfter(now))
                .isPresent();
    boolean settled =
        in.pod()
            .flatMap(PodFacts::startedAt)
            .map(Instant::parse)
            .filter(started -> !started.plus(SETTLED).isAfter(now))
            .isPresent();
    return settled && !failedLately;
  }

  private static boolean isReady(VirtualMachineStatus status) {
    return ConditionList.find(status.conditions(), Ready.TYPE)
        .filter(ready -> "True".equals(ready.getStatus()))
        .isPresent();
  }
}
