package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.pod.HostPathRoots;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AttemptsTest {

  private static final Resolution LOST =
      Resolution.unusable("SourceUnavailable", "No source answers");

  private Instant now = Instant.parse("2026-01-01T12:00:00Z");
  private int looks;
  private HostPathRoots roots = HostPathRoots.NONE;

  private final VirtualMachineImage image = new VirtualMachineImage();
  private final Attempts attempts = new Attempts(new Hand());

  AttemptsTest() {
    image.getMetadata().setName("a");
    image.getMetadata().setGeneration(1L);
  }

  @Test
  void failedLookIsNotRepeatedForAWhile() {
    look(LOST);
    look(LOST);
    assertThat(looks).isEqualTo(1);
    now = now.plus(Attempts.PAUSE);
    look(LOST);
    assertThat(looks).isEqualTo(2);
  }

  @Test
  void anotherWishIsLookedUpAtOnce() {
    look(LOST);
    image.getMetadata().setGeneration(2L);
    look(LOST);
    image.getMetadata().setAnnotations(Map.of("qemu-operator.dev/refresh-requested-at", "noon"));
    look(LOST);
    roots = new HostPathRoots(Map.of("lab", new HostPathRoots.Root(null, false)));
    look(LOST);
    assertThat(looks).isEqualTo(4);
  }

  @Test
  void whatWasFoundIsNotRemembered() {
    Resolution found = Resolution.found("registry.example/a", Optional.empty());
    assertThat(look(found)).isEqualTo(found);
    look(found);
    assertThat(looks).isEqualTo(2);
  }

  private Resolution look(Resolution result) {
    return attempts.of(
        image,
        roots,
        () -> {
          looks++;
          return result;
        });
  }

  private final class Hand extends Clock {
    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }
}
