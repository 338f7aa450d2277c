package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.UUID;
import org.awaitility.Awaitility;

/**
 * A tiny guest that counts each second, in its memory and, flushed, on its disk named count. The
 * count in memory bears a mark that is made anew at each start of the counting.
 */
final class Counter {

  /**
   * What the guest has counted.
   *
   * @param boots of the guest, ever
   * @param mark of the counting in memory; empty if nothing counts
   */
  record Reading(int boots, String mark, int inMemory, int onDisk) {}

  private static final String COUNT =
      """
      disk=$(disk count)
      onDisk=$(($(head -c 16 $disk | tr -d '\\0 ') + 0))
      inMemory=0
      while :; do
        inMemory=$((inMemory + 1)) onDisk=$((onDisk + 1))
        printf '%%-512s' $onDisk | dd of=$disk conv=fsync,notrunc 2>/dev/null
        echo %s $inMemory > /tmp/count.new
        mv /tmp/count.new /tmp/count
        sleep 1
      done &
      """;

  private final Vm vm;
  private Reading last;

  Counter(Vm vm) {
    this.vm = vm;
  }

  Vm vm() {
    return vm;
  }

  /** Starts the counting, where the disk left off. */
  void start() {
    vm.run(COUNT.formatted(UUID.randomUUID()));
    last =
        Awaitility.await(vm.name() + " counts")
            .ignoreExceptionsInstanceOf(KubernetesClientException.class)
            .until(this::look, reading -> reading.inMemory() > 0);
  }

  /** What it has counted now. */
  Reading read() {
    last = look();
    return last;
  }

  private Reading look() {
    String[] words =
        vm.run(
                "echo $(cat /disk/boots) $(($(head -c 16 $(disk count) | tr -d '\\0 ') + 0))"
                    + " $(cat /tmp/count 2>/dev/null || echo - 0)")
            .strip()
            .split("\\s+");
    return new Reading(
        Integer.parseInt(words[0]),
        words[2].equals("-") ? "" : words[2],
        Integer.parseInt(words[3]),
        Integer.parseInt(words[1]));
  }

  /** Waits until the guest runs on, or has booted once, and has lost no more than it must. */
  void settle(Reading before, boolean rebooted, Duration patience) {
    int boots = before.boots() + (rebooted ? 1 : 0);
    Reading after =
        Awaitility.await(vm.name() + " answers, booted " + boots + " times")
            .atMost(patience)
            .ignoreExceptionsInstanceOf(KubernetesClientException.class)
            .until(this::look, reading -> reading.boots() >= boots);
    assertThat(after.boots()).as("boots").isEqualTo(boots);
    assertThat(after.onDisk()).as("count on disk").isGreaterThanOrEqualTo(before.onDisk());
    if (rebooted) {
      assertThat(after.mark()).as("memory of another boot").isEmpty();
      start();
    } else {
      assertThat(after.mark()).as("memory").isEqualTo(before.mark());
      last = before;
      check();
    }
  }

  /** The guest has counted on since it was read last, in the same boot. */
  void check() {
    Reading before = last;
    Reading now =
        Awaitility.await(vm.name() + " counts on")
            .atMost(Duration.ofSeconds(30))
            .ignoreExceptionsInstanceOf(KubernetesClientException.class)
            .until(this::look, reading -> reading.onDisk() > before.onDisk());
    assertThat(now.boots()).as("boots of %s", vm.name()).isEqualTo(before.boots());
    assertThat(now.mark()).as("memory of %s", vm.name()).isEqualTo(before.mark());
    assertThat(now.inMemory()).isGreaterThan(before.inMemory());
    last = now;
  }
}
