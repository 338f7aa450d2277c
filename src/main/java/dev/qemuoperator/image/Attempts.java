package dev.qemuoperator.image;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.pod.HostPathRoots;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Looks that have failed are not repeated at once, whatever else asks for a pass. */
final class Attempts {

  static final Duration PAUSE = Duration.ofSeconds(30);

  private record Attempt(Object wish, Instant at, Resolution failed) {}

  private final Map<String, Attempt> attempts = new ConcurrentHashMap<>();
  private final Clock clock;

  Attempts(Clock clock) {
    this.clock = clock;
  }

  /** What the look gives, or has given a moment ago for the same spec, request and roots. */
  Resolution of(VirtualMachineImage image, HostPathRoots roots, Supplier<Resolution> look) {
    ObjectMeta metadata = image.getMetadata();
    Object wish =
        Arrays.asList(
            metadata.getUid(), metadata.getGeneration(), metadata.getAnnotations(), roots);
    Attempt last = attempts.get(metadata.getName());
    if (last != null
        && last.wish().equals(wish)
        && clock.instant().isBefore(last.at().plus(PAUSE))) {
      return last.failed();
    }
    Resolution found = look.get();
    if (found.problem().isPresent()) {
      attempts.put(metadata.getName(), new Attempt(wish, clock.instant(), found));
    } else {
      attempts.remove(metadata.getName());
    }
    return found;
  }
}
