package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus.Cdrom;
import dev.qemuoperator.api.VirtualMachineStatus.PendingChange;
import dev.qemuoperator.cluster.TestNamespace;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A disk on each bus, CD-ROM drives, and an installation from a CD. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BusesE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final List<String> DISKS = List.of("virtio", "scsi", "sata");

  /** Half a minute until it begins, and 15 MB at the 1 MiB/s of the tests' installation. */
  private static final Duration COPIED = Duration.ofMinutes(3);

  /** The guest looks for disks while it boots already. */
  private static final Duration FOUND = Duration.ofSeconds(20);

  private static final String DRIVE_IS_FOUND =
      "for i in $(seq 100); do [ -b /dev/sr0 ] && break; usleep 200000; done; [ -b /dev/sr0 ] && ";

  private static ImageServer server;
  private static String checksum;
  private static Vm vm;

  @BeforeAll
  static void boot() {
    Installation.get();
    server = ImageServer.start(NAMESPACE.name());
    server.publish("cd.iso");
    checksum = server.publishedChecksum("cd.iso");
    vm = Vm.apply(NAMESPACE.name(), "buses", manifest("SCSI"));
    vm.awaitReady();
  }

  private static String manifest(String busOfRoot) {
    return """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: buses}
        spec:
          memory: {size: 192Mi}
          terminationGracePeriodSeconds: 60
          readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
          disks:
          - {name: root, size: 64Mi, source: {containerImage: {image: "%s"}}, bus: %s}
          - {name: virtio, size: 16Mi, source: {blank: {}}, reclaimPolicy: Delete}
          - {name: scsi, size: 16Mi, source: {blank: {}}, reclaimPolicy: Delete, bus: SCSI}
          - {name: sata, size: 16Mi, source: {blank: {}}, reclaimPolicy: Delete, bus: SATA}
          cdroms:
          - {name: empty}
          - name: iso
            source: {http: {url: "%s/cd.iso", checksum: "%s"}}
        """
        .formatted(Installation.image("guest-tiny"), busOfRoot, server.url(), checksum);
  }

  @Test
  @Order(1)
  void guestWritesOnEachOfItsDisksAndReadsItsCd() {
    for (String disk : DISKS) {
      awaitDisk(disk);
      vm.run("echo on-%1$s | dd of=$(disk %1$s) conv=fsync".formatted(disk));
    }
    assertSystemOnCd();
    Cdrom status = vm.status().cdroms().getFirst();
    assertThat(status.name()).isEqualTo("iso");
    assertThat(status.digest()).isEqualTo(checksum);
  }

  @Test
  @Order(2)
  void killedGuestFindsItsDisksAndItsCdAgain() {
    server.withdraw("cd.iso");
    vm.inPod("sh", "-c", "kill -9 $(pidof qemu-system-x86_64)");
    vm.awaitExit("HostSignal", Vm.TOLD);
    vm.awaitReady();
    assertDisksAreAsTheyWere();
    assertSystemOnCd();
  }

  @Test
  @Order(3)
  void diskOnScsiBecomesSelfContained() {
    vm.await("self-contained", COPIED, now -> now.disks().getFirst().selfContained());
  }

  @Test
  @Order(4)
  void changedBusComesWithTheNextBootAndTheCdFromTheCache() {
    assertThat(busOf("root")).contains("/virtio");
    Vm.apply(NAMESPACE.name(), manifest("SATA"));
    vm.await(
        "a change that is pending",
        Vm.TOLD,
        now ->
            now.pendingChanges() != null
                && now.pendingChanges()
                    .contains(
                        new PendingChange(
                            "spec.disks[root].bus", "SCSI", "SATA", "NextBoot", null, null)));
    String pod = vm.podUid();
    vm.runLast("reboot -f");
    vm.await("a new pod", Vm.BOOT, now -> !vm.podUid().isEmpty() && !vm.podUid().equals(pod));
    vm.awaitReady();
    assertThat(busOf("root")).contains("/ata");
    assertThat(vm.boots()).isEqualTo(3);
    assertDisksAreAsTheyWere();
    assertSystemOnCd();
    vm.delete();
  }

  @Test
  @Order(5)
  void systemIsInstalledFromACdOntoABlankDisk() {
    server.publish("installer.iso");
    Vm installed =
        Vm.apply(
            NAMESPACE.name(),
            "installed",
            """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachineImage
            metadata: {name: tiny-installer}
            spec:
              sources: [{http: {url: "%s/installer.iso"}}]
              checksum: %s
            ---
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachine
            metadata: {name: installed}
            spec:
              memory: {size: 192Mi}
              terminationGracePeriodSeconds: 60
              readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
              disks:
              - {name: root, size: 64Mi, source: {blank: {}}, reclaimPolicy: Delete}
              cdroms:
              - {name: iso, source: {image: tiny-installer}}
            """
                .formatted(server.url(), server.publishedChecksum("installer.iso")));
    installed.awaitReady();
    assertThat(installed.status().cdroms().getFirst().image()).isEqualTo("tiny-installer");
    assertThat(installed.run("cat /proc/cmdline")).contains("tiny.from=cdrom");

    assertThat(
            installed.run(
                DRIVE_IS_FOUND
                    + "dd if=/dev/sr0 of=$(disk root) bs=1M conv=fsync && cmp -n 4096 /dev/sr0 $(disk root)"
                    + " && echo installed"))
        .contains("installed");
    installed.patch("{\"spec\":{\"cdroms\":[{\"name\":\"iso\",\"source\":null}]}}");
    installed.await("an empty drive", FOUND, now -> now.cdroms() == null);
    assertThat(installed.status().pendingChanges()).isEmpty();
    String pod = installed.podUid();
    installed.runLast("poweroff -f");
    installed.await(
        "a new pod",
        Vm.BOOT,
        now -> !installed.podUid().isEmpty() && !installed.podUid().equals(pod));
    installed.awaitReady();
    assertThat(installed.livePod().getSpec().getInitContainers()).as("nothing to fetch").isEmpty();
    assertThat(installed.run(DRIVE_IS_FOUND + "{ head -c 1 /dev/sr0 || echo empty; }"))
        .contains("empty");
    installed.delete();
  }

  private static void awaitDisk(String disk) {
    Awaitility.await("disk " + disk)
        .atMost(FOUND)
        .ignoreException(KubernetesClientException.class)
        .until(() -> vm.run("disk " + disk).startsWith("/dev/"));
  }

  private static String busOf(String disk) {
    awaitDisk(disk);
    return vm.run("d=$(disk %s); readlink -f /sys/block/${d#/dev/}".formatted(disk));
  }

  private static void assertDisksAreAsTheyWere() {
    for (String disk : DISKS) {
      awaitDisk(disk);
      assertThat(vm.run("head -n 1 $(disk " + disk + ")").strip()).isEqualTo("on-" + disk);
    }
  }

  /** Of two drives only one has a medium; which is sr0 is the kernel's choice. */
  private static void assertSystemOnCd() {
    String script =
        """
        mkdir -p /tmp/cd
        mountpoint -q /tmp/cd || for drive in /dev/sr*; do mount -o ro -t iso9660 $drive /tmp/cd && break; done
        grep -o tiny.from=cdrom /tmp/cd/boot/grub/grub.cfg
        """;
    Awaitility.await("the CD").atMost(FOUND).until(() -> vm.run(script).contains("tiny.from"));
  }
}
