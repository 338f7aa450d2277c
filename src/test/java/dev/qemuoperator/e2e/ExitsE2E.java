package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Ends of a guest's process, each brought about for real; {@link LifecycleE2E} and {@link
 * RequestsE2E} have GuestShutdown, GuestPanic, GuestReset, HostSignal and Requested.
 */
class ExitsE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final Duration SOON = Duration.ofSeconds(60);

  @BeforeAll
  static void install() {
    Installation.get();
  }

  @Test
  void guestThatDoesNotFeedItsWatchdogIsEndedByIt() {
    Vm vm = Vm.tiny(NAMESPACE.name(), "watched", "machine: {watchdog: Poweroff}");
    vm.awaitReady();
    // the tiny guest's kernel has no driver: a clock of 1 MHz, then the card's enable bit
    vm.runLast(
        """
        for d in /sys/bus/pci/devices/*; do
          [ "$(cat $d/device)" = 0x25ab ] || continue
          printf '\\004\\000' | dd of=$d/config bs=2 seek=$((0x60 / 2)) conv=notrunc
          printf '\\002' | dd of=$d/config bs=1 seek=$((0x68)) conv=notrunc
        done
        """);
    vm.awaitExit("Watchdog", SOON);
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(2);
    vm.delete();
  }

  @Test
  void qemuThatCannotStartSaysWhy() {
    Vm vm = Vm.tiny(NAMESPACE.name(), "no-such-cpu", "cpu: {model: no-such-model}");
    VirtualMachineStatus status = vm.awaitExit("QemuError", Vm.BOOT);
    assertThat(status.lastExit().exitCode()).isEqualTo(1);
    assertThat(status.lastExit().message()).contains("no-such-model");
    vm.awaitCondition("Running", "False", "Restarting", SOON);
    vm.delete();
  }

  @Test
  void qemuThatTheNodesKernelKillsForItsMemoryIsToldSo() {
    Vm vm = Vm.tiny(NAMESPACE.name(), "hungry");
    vm.awaitReady();
    // others in the container take more than there is, each less than QEMU, which is the kernel's
    // choice
    vm.inPod(
        "sh",
        "-c",
        "echo 1000 > /proc/$(pidof qemu-system-x86_64)/oom_score_adj; for i in 1 2 3 4 5 6 7 8; do"
            + " (x=$(head -c 45000000 /dev/zero | tr '\\0' x); sleep 8) & done > /dev/null 2>&1");
    vm.awaitExit("OutOfMemory", SOON);
    vm.awaitReady();
    vm.delete();
  }

  @Test
  void evictionIsToldApartFromARequest() {
    Vm vm = Vm.tiny(NAMESPACE.name(), "evicted");
    vm.awaitReady();
    String pod = vm.podUid();
    vm.pod().evict();
    vm.awaitExit("Evicted", SOON);
    vm.await("a new pod", Vm.BOOT, now -> !vm.podUid().isEmpty() && !vm.podUid().equals(pod));
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(2);
    vm.delete();
  }

  /** The volume gets a small file system of its own, half of it taken by somebody else's file. */
  @Test
  void fullVolumePausesTheGuestWhichGoesOnOnceThereIsRoom() {
    Vm vm = Vm.tiny(NAMESPACE.name(), "full", "  selfContained: false");
    vm.awaitReady();
    vm.setRunStrategy("Halted");
    vm.awaitNoPod(SOON);
    vm.patch("{\"spec\":{\"terminationGracePeriodSeconds\":12}}");
    String volume = volumeOf("full-root");
    onNode("cp -a %s /tmp/volume && mount -t tmpfs -o size=24m,mode=777 volume %s", volume, volume);
    onNode(
        "cp -a /tmp/volume/. %s && rm -rf /tmp/volume && head -c 16m /dev/zero > %s/filler",
        volume, volume);
    try {
      vm.setRunStrategy("Always");
      vm.awaitReady();
      vm.run(
          "(dd if=/dev/urandom of=/disk/big bs=64k count=256 conv=fsync; echo done > /tmp/written) > /dev/null 2>&1 &");
      vm.awaitCondition("Running", "False", "DiskFull", SOON);
      assertThat(vm.status().process().runState()).isEqualTo("io-error");
      onNode("rm %s/filler", volume);
      vm.awaitCondition("Running", "True", "Running", Duration.ofSeconds(20));
      vm.awaitReady();
      assertThat(
              vm.run("until [ -e /tmp/written ]; do sleep 1; done; cat /disk/big | wc -c").strip())
          .isEqualTo("16777216");

      onNode("head -c 24m /dev/zero > %s/filler || true", volume);
      vm.run("(dd if=/dev/urandom of=/disk/big2 bs=64k count=256 conv=fsync) > /dev/null 2>&1 &");
      vm.awaitCondition("Running", "False", "DiskFull", SOON);
      vm.pod().delete();
      vm.awaitExit("IOError", SOON);
    } finally {
      vm.delete();
      onNode("umount -l %s", volume);
    }
    assertThat(vm.eventReasons()).contains("DiskFull", "IOError");
  }

  private static String volumeOf(String claim) {
    String name =
        Cluster.get()
            .client()
            .persistentVolumeClaims()
            .inNamespace(NAMESPACE.name())
            .withName(claim)
            .require()
            .getSpec()
            .getVolumeName();
    PersistentVolume volume = Cluster.get().client().persistentVolumes().withName(name).require();
    return volume.getSpec().getHostPath() != null
        ? volume.getSpec().getHostPath().getPath()
        : volume.getSpec().getLocal().getPath();
  }

  private static void onNode(String script, Object... arguments) {
    Cluster.get().onNode("sh", "-c", script.formatted(arguments)).text();
  }
}
