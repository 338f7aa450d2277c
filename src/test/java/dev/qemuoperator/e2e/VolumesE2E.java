package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus.PendingChange;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Disks on volumes of every kind, and what is told of a volume that is not as it should be. */
class VolumesE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final Duration SOON = Duration.ofMinutes(1);

  /** The kubelet's own pauses between its tries. */
  private static final Duration NEXT_TRY = Duration.ofMinutes(3);

  @BeforeAll
  static void install() {
    Installation.get();
  }

  // ---- kinds of volumes

  @Test
  void diskOnABlockDeviceKeepsItsDataAndIsForOneGuestAtATime() {
    BlockDevice device = BlockDevice.onNode("block", 100);
    try {
      Vm vm =
          vm(
              "block",
              "size: 64Mi, source: %s, storage: {claim: {storageClassName: block, volumeMode: Block}}");
      vm.awaitReady();
      vm.write("/disk/kept", "written");
      vm.inPod("sh", "-c", "kill -9 $(pidof qemu-system-x86_64)");
      vm.awaitExit("HostSignal", Vm.TOLD);
      vm.awaitReady();
      assertThat(vm.run("cat /disk/kept").strip()).isEqualTo("written");

      Vm other = vm("other", "storage: {claim: {existing: block-root}}");
      other.awaitCondition("DisksReady", "False", "ClaimInUse", SOON);
      assertThat(other.condition("DisksReady").orElseThrow().getMessage())
          .contains("VirtualMachine/block", "Halted");
      assertThat(other.pod().get()).isNull();
      vm.setRunStrategy("Halted");
      other.awaitReady();
      assertThat(other.run("cat /disk/kept").strip()).isEqualTo("written");
      vm.setRunStrategy("Always");
      vm.awaitCondition("DisksReady", "False", "ClaimInUse", SOON);
      other.delete();
      vm.awaitReady();
      assertThat(vm.run("cat /disk/kept").strip()).isEqualTo("written");
      vm.delete();
    } finally {
      device.remove();
    }
  }

  @Test
  void claimThatComesLaterIsWaitedForAndStaysItsOwners() {
    Vm vm = vm("waits", "size: 64Mi, source: %s, storage: {claim: {existing: later}}");
    vm.awaitCondition("DisksReady", "False", "ClaimNotFound", SOON);
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: later}
        spec:
          accessModes: [ReadWriteOnce]
          resources: {requests: {storage: 64Mi}}
        """);
    vm.awaitReady();
    vm.await("self-contained", NEXT_TRY, now -> now.disks().getFirst().selfContained());
    vm.delete();
    PersistentVolumeClaim claim = claim("later");
    assertThat(claim.getMetadata().getLabels()).isNullOrEmpty();
    assertThat(claim.getMetadata().getOwnerReferences()).isEmpty();
    assertThat(claim.getMetadata().getAnnotations())
        .containsEntry("qemu-operator.dev/self-contained", "true");
    assertThat(vm.eventReasons()).as("it was not the VM's to keep").doesNotContain("DisksRetained");
  }

  @Test
  void diskLocalToTheNodeStaysThereGrowsAndGoes() {
    Vm vm = vm("local", "size: 64Mi, source: %s, storage: {nodeLocal: {}}");
    vm.awaitReady();
    vm.write("/disk/kept", "written");
    PersistentVolume volume = volumeOf("local-root");
    String directory = volume.getSpec().getHostPath().getPath();
    assertThat(directory)
        .startsWith("/var/lib/qemu-operator/disks/" + NAMESPACE.name() + "_local-root_");
    assertThat(volume.getSpec().getNodeAffinity()).isNotNull();
    assertThat(onNode("ls %s", directory).strip()).isEqualTo("disk.qcow2");

    vm.patch(
        """
        {"spec":{"disks":[{"name":"root","size":"128Mi","source":%s,"storage":{"nodeLocal":{}}}]}}"""
            .formatted(tiny()));
    vm.await("grown", SOON, now -> now.pendingChanges().stream().noneMatch(isOfTheSize()));
    assertThat(vm.status().disks().getFirst().capacity()).hasToString("128Mi");

    vm.delete();
    assertThat(vm.eventReasons()).contains("DisksRetained");
    Vm heir = vm("heir", "storage: {claim: {existing: local-root}}");
    heir.awaitReady();
    assertThat(heir.run("cat /disk/kept").strip()).isEqualTo("written");
    heir.delete();

    Cluster.get().kubectl("delete", "pvc", "local-root", "-n", NAMESPACE.name()).text();
    Awaitility.await("the volume is removed")
        .atMost(SOON)
        .until(
            () ->
                Cluster.get()
                        .client()
                        .persistentVolumes()
                        .withName(volume.getMetadata().getName())
                        .get()
                    == null);
    assertThat(onNode("ls /var/lib/qemu-operator/disks")).doesNotContain("local-root");
  }

  private static java.util.function.Predicate<PendingChange> isOfTheSize() {
    return change -> change.field().equals("spec.disks[root].size");
  }

  // ---- what is wrong with a volume

  /** The kubelet makes an empty directory where that of a volume is missing. */
  @Test
  void diskThatIsNotThereIsToldAndNotMadeAnew() {
    Vm vm = vm("lost", "size: 64Mi, source: %s, storage: {claim: {}}");
    String directory = halted(vm);
    onNode("mv %s %s.elsewhere", directory, directory);
    vm.setRunStrategy("Always");
    vm.awaitCondition("DisksReady", "False", "DiskLost", SOON);
    assertThat(vm.condition("DisksReady").orElseThrow().getMessage())
        .contains("kubectl annotate pvc lost-root qemu-operator.dev/disk-made-");
    assertThat(vm.eventReasons()).contains("DiskLost");
    assertThat(onNode("ls %s", directory)).isEmpty();
    onNode("rmdir %s && mv %s.elsewhere %s", directory, directory, directory);
    vm.awaitCondition("Ready", "True", "Running", NEXT_TRY);
    assertThat(vm.run("cat /disk/kept").strip()).isEqualTo("written");

    halted(vm);
    onNode("rm -rf %s", directory);
    vm.setRunStrategy("Always");
    vm.awaitCondition("DisksReady", "False", "DiskLost", SOON);
    Cluster.get()
        .kubectl(
            "annotate", "pvc", "lost-root", "qemu-operator.dev/disk-made-", "-n", NAMESPACE.name())
        .text();
    vm.awaitCondition("Ready", "True", "Running", NEXT_TRY);
    assertThat(vm.run("test -e /disk/kept || echo new").strip()).isEqualTo("new");
    vm.delete();
  }

  @Test
  void volumeThatIsReadOnlyIsToldAndNothingIsLost() {
    Vm vm = vm("read-only", "size: 64Mi, source: %s, storage: {claim: {}}");
    String directory = halted(vm);
    onNode("mount --bind %s %s && mount -o remount,bind,ro %s", directory, directory, directory);
    try {
      vm.setRunStrategy("Always");
      vm.awaitCondition("DisksReady", "False", "VolumeReadOnly", SOON);
      assertThat(vm.eventReasons()).contains("VolumeReadOnly");
    } finally {
      onNode("umount %s", directory);
    }
    vm.pod().delete();
    again(vm, NEXT_TRY);
  }

  @Test
  void diskThatAnotherProcessHasOpenIsToldAndWaitedFor() {
    Vm vm = vm("locked", "size: 64Mi, source: %s, storage: {claim: {}}");
    halted(vm);
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: holder}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
          - name: holder
            image: %s
            command: [qemu-system-x86_64, -machine, none, -display, none, -blockdev, '{"driver": "qcow2",
              "node-name": "a", "backing": null, "file": {"driver": "file", "filename": "/disk/disk.qcow2"}}']
            volumeMounts: [{name: disk, mountPath: /disk}]
          volumes: [{name: disk, persistentVolumeClaim: {claimName: locked-root}}]
        """
            .formatted(Installation.image("runner")));
    Awaitility.await("its lock")
        .atMost(SOON)
        .until(
            () ->
                Cluster.get()
                    .kubectl(
                        "exec",
                        "-n",
                        NAMESPACE.name(),
                        "holder",
                        "--",
                        "qemu-img",
                        "info",
                        "/disk/disk.qcow2")
                    .stderr(),
            said -> said.contains("lock"));
    vm.setRunStrategy("Always");
    vm.awaitCondition("DisksReady", "False", "DiskInUse", SOON);
    assertThat(vm.condition("DisksReady").orElseThrow().getMessage())
        .contains("kubectl describe pvc");
    Cluster.get().kubectl("delete", "pod", "holder", "-n", NAMESPACE.name()).text();
    again(vm, NEXT_TRY);
  }

  @Test
  void corruptDiskIsToldAndRepairedByTheExample() throws IOException {
    Installation.loadAs("runner", "ghcr.io/qemu-operator/runner:0.1.0");
    Vm vm = vm("web", "size: 64Mi, source: %s, storage: {claim: {}}");
    String directory = halted(vm);
    // the bit of the header that QEMU sets, beside that of extended L2 entries
    onNode("printf '\\022' | dd of=%s/disk.qcow2 bs=1 seek=79 conv=notrunc", directory);
    vm.setRunStrategy("Always");
    vm.awaitCondition("DisksReady", "False", "DiskCorrupt", SOON);
    assertThat(vm.eventReasons()).contains("DiskCorrupt");
    vm.setRunStrategy("Halted");
    vm.awaitNoPod(SOON);
    Vm.apply(NAMESPACE.name(), Files.readString(Path.of("examples/repair/pod.yaml")));
    pod("repair-web-root", "Succeeded");
    assertThat(onNode("ls %s", directory)).contains("disk.qcow2.corrupt");
    vm.setRunStrategy("Always");
    again(vm, SOON);
  }

  /** QEMU closes such a disk, and then answers no question about any of them. */
  @Test
  void damageThatQemuFindsWhileTheGuestRunsIsTold() {
    Vm vm = vm("damaged", "size: 64Mi, source: %s, storage: {claim: {}}");
    String directory = halted(vm);
    // the table of tables says of the first one that it is where none can be
    onNode(
        "cd %s && cp -p disk.qcow2 saved && l1=$(od -An -v -tx1 -j 40 -N 8 disk.qcow2 | tr -d ' ')"
            + " && printf '\\200\\000\\000\\000\\000\\000\\002\\001'"
            + " | dd of=disk.qcow2 bs=1 seek=$((0x$l1)) conv=notrunc",
        directory);
    vm.setRunStrategy("Always");
    vm.awaitCondition("DisksReady", "False", "DiskCorrupt", SOON);
    assertThat(vm.condition("DisksReady").orElseThrow().getMessage()).contains("Halt");
    Vm.stays(
        "QEMU is not taken for lost",
        () -> !"Unknown".equals(vm.condition("Running").orElseThrow().getStatus()));
    vm.setRunStrategy("Halted");
    vm.awaitNoPod(SOON);
    onNode("cd %s && mv saved disk.qcow2", directory);
    vm.setRunStrategy("Always");
    again(vm, SOON);
  }

  /** Of a VM that has run once and written something; returns where its disk is on the node. */
  private static String halted(Vm vm) {
    vm.awaitReady();
    vm.write("/disk/kept", "written");
    vm.setRunStrategy("Halted");
    vm.awaitNoPod(SOON);
    PersistentVolume volume = volumeOf(vm.status().disks().getFirst().claim());
    return volume.getSpec().getHostPath() != null
        ? volume.getSpec().getHostPath().getPath()
        : volume.getSpec().getLocal().getPath();
  }

  private static void again(Vm vm, Duration patience) {
    vm.awaitCondition("Ready", "True", "Running", patience);
    assertThat(vm.run("cat /disk/kept").strip()).isEqualTo("written");
    vm.delete();
  }

  private static void pod(String name, String phase) {
    Cluster.get()
        .kubectl(
            "wait",
            "pod",
            name,
            "-n",
            NAMESPACE.name(),
            "--for=jsonpath={.status.phase}=" + phase,
            "--timeout=" + SOON.toSeconds() + "s")
        .text();
  }

  private static Vm vm(String name, String disk) {
    return Vm.apply(
        NAMESPACE.name(),
        name,
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: %s}
        spec:
          memory: {size: 192Mi}
          terminationGracePeriodSeconds: 20
          readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
          disks: [{name: root, %s}]
        """
            .formatted(name, disk.formatted(tiny())));
  }

  private static String tiny() {
    return "{\"containerImage\":{\"image\":\"%s\"}}".formatted(Installation.image("guest-tiny"));
  }

  private static PersistentVolumeClaim claim(String name) {
    return Cluster.get()
        .client()
        .persistentVolumeClaims()
        .inNamespace(NAMESPACE.name())
        .withName(name)
        .require();
  }

  private static PersistentVolume volumeOf(String claim) {
    return Cluster.get()
        .client()
        .persistentVolumes()
        .withName(claim(claim).getSpec().getVolumeName())
        .require();
  }

  private static String onNode(String script, Object... arguments) {
    return Cluster.get().onNode("sh", "-c", script.formatted(arguments)).text();
  }

  /** A loop device of the node, as a PersistentVolume of the mode Block. */
  private record BlockDevice(String name, String path) {

    static BlockDevice onNode(String name, int mebibytes) {
      String path =
          VolumesE2E.onNode(
                  "truncate -s %sM /tmp/%s.img && losetup -f --show /tmp/%s.img",
                  mebibytes, name, name)
              .strip();
      String node =
          Cluster.get().client().nodes().list().getItems().getFirst().getMetadata().getName();
      Vm.apply(
          NAMESPACE.name(),
          """
          apiVersion: v1
          kind: PersistentVolume
          metadata: {name: %s}
          spec:
            storageClassName: %s
            capacity: {storage: %sMi}
            accessModes: [ReadWriteOnce]
            volumeMode: Block
            local: {path: %s}
            nodeAffinity:
              required:
                nodeSelectorTerms:
                - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [%s]}]
          """
              .formatted(name, name, mebibytes, path, node));
      return new BlockDevice(name, path);
    }

    void remove() {
      Cluster.get().kubectl("delete", "pvc", name + "-root", "-n", NAMESPACE.name());
      Cluster.get().kubectl("delete", "pv", name).text();
      VolumesE2E.onNode("losetup -d %s; rm /tmp/%s.img", path, name);
    }
  }
}
