package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A disk is an overlay at first and holds all of itself in the end. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DisksE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  /** Half a minute until it begins, and 15 MB at the 1 MiB/s of the tests' installation. */
  private static final Duration COPIED = Duration.ofMinutes(3);

  private static Vm vm;

  @BeforeAll
  static void boot() {
    Installation.get();
    vm = Vm.tiny(NAMESPACE.name(), "copied");
    vm.awaitReady();
  }

  @Test
  @Order(1)
  void killInTheMiddleOfTheCopyingLosesNothingOfIt() {
    VirtualMachineStatus started = vm.status();
    assertThat(started.disks().getFirst().selfContained()).isFalse();
    vm.write("/disk/before", "written");
    vm.await("copying", COPIED, now -> percent(now) >= 10);
    long copied = bytesOnDisk();
    vm.inPod("sh", "-c", "kill -9 $(pidof qemu-system-x86_64)");
    vm.awaitExit("HostSignal", Vm.TOLD);
    vm.awaitReady();
    assertThat(vm.status().disks().getFirst().selfContained()).isFalse();
    assertThat(bytesOnDisk()).isGreaterThanOrEqualTo(copied);
    assertThat(vm.run("cat /disk/before").strip()).isEqualTo("written");
  }

  @Test
  @Order(2)
  void copyingIsSwitchedOffAndOn() {
    vm.await("copying again", COPIED, now -> percent(now) >= 0);
    vm.patch(disk("selfContained: false"));
    vm.await("copying no more", Vm.TOLD, now -> now.disks().getFirst().progress() == null);
    assertThat(vm.status().pendingChanges()).isEmpty();
    vm.patch(disk("selfContained: true"));
    vm.await("self-contained", COPIED, now -> now.disks().getFirst().selfContained());
    assertThat(vm.eventReasons()).contains("DiskSelfContained");
    assertThat(vm.inPod("qemu-img", "info", "-U", "/disks/root/disk.qcow2"))
        .doesNotContain("backing file");
  }

  @Test
  @Order(3)
  void selfContainedDiskStartsOnANodeWithoutItsBaseImage() {
    int boots = vm.boots();
    vm.setRunStrategy("Halted");
    vm.awaitCondition("Running", "False", "Halted", Duration.ofSeconds(60));
    assertThat(vm.status().disks().getFirst().selfContained()).as("while it is off").isTrue();
    Cluster.get().onNode("sh", "-c", "rm -rf /var/lib/qemu-operator/cache/*").text();
    vm.setRunStrategy("Always");
    vm.awaitReady();
    assertThat(vm.livePod().getSpec().getInitContainers()).isEmpty();
    assertThat(Cluster.get().onNode("find", "/var/lib/qemu-operator/cache", "-size", "+1M").text())
        .as("nothing was fetched")
        .isEmpty();
    assertThat(vm.boots()).isEqualTo(boots + 1);
    assertThat(vm.run("cat /disk/before").strip()).isEqualTo("written");
  }

  @Test
  @Order(4)
  void fileOfTheDiskIsWhole() {
    vm.setRunStrategy("Halted");
    vm.awaitNoPod(Duration.ofSeconds(60));
    Cluster.get()
        .kubectlWithInput(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: check}
            spec:
              restartPolicy: Never
              containers:
              - name: check
                image: %s
                command: [qemu-img, check, /disk/disk.qcow2]
                volumeMounts: [{name: disk, mountPath: /disk}]
              volumes: [{name: disk, persistentVolumeClaim: {claimName: copied-root}}]
            """
                .formatted(Installation.image("runner")),
            "apply",
            "-n",
            vm.namespace(),
            "-f",
            "-")
        .text();
    Awaitility.await("qemu-img check")
        .atMost(Duration.ofMinutes(1))
        .until(
            () -> Cluster.get().kubectl("logs", "-n", vm.namespace(), "check").stdout(),
            log -> log.contains("allocated"));
    assertThat(Cluster.get().kubectl("logs", "-n", vm.namespace(), "check").stdout())
        .doesNotContain("ERROR");
    vm.delete();
  }

  private static String disk(String field) {
    return """
        {"spec":{"disks":[{"name":"root","size":"64Mi","source":{"containerImage":{"image":"%s"}},%s}]}}"""
        .formatted(
            Installation.image("guest-tiny"), field.replace("selfContained", "\"selfContained\""));
  }

  private static int percent(VirtualMachineStatus status) {
    String progress = status.disks().getFirst().progress();
    return progress != null && progress.endsWith(" %")
        ? Integer.parseInt(progress.replace(" %", ""))
        : -1;
  }

  private static long bytesOnDisk() {
    return Long.parseLong(vm.inPod("sh", "-c", "du -k /disks/root/disk.qcow2 | cut -f 1").strip());
  }
}
