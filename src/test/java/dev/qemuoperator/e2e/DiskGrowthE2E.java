package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.PendingChange;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Disks grow while their guest runs, and the guest sees it. */
class DiskGrowthE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  /** Half a minute until it begins, and 15 MB at the 1 MiB/s of the tests' installation. */
  private static final Duration COPIED = Duration.ofMinutes(3);

  private static final long MEBIBYTE = 2048; // sectors

  @BeforeAll
  static void install() {
    Installation.get();
  }

  @Test
  void runningGuestGetsALargerDiskAndKeepsItWhenQemuStartsAgain() {
    Vm vm = Vm.apply(NAMESPACE.name(), "grows", manifest("grows", "storage: {ephemeral: {}}"));
    vm.awaitReady();
    assertThat(vm.status().disks().getFirst().capacity()).hasToString("64Mi");
    assertThat(sectors(vm)).isEqualTo(64 * MEBIBYTE);
    String pod = vm.podUid();
    double uptime = vm.uptime();

    grow(vm, "128Mi", "storage: {ephemeral: {}}");
    awaitCapacity(vm, "128Mi", Vm.TOLD);
    assertThat(vm.status().pendingChanges()).isEmpty();
    assertThat(vm.condition("RestartRequired").orElseThrow().getStatus()).isEqualTo("False");
    assertThat(sectors(vm)).isEqualTo(128 * MEBIBYTE);
    assertThat(vm.uptime()).as("no reboot").isGreaterThan(uptime);
    assertThat(vm.eventReasons()).contains("DiskGrown").doesNotContain("RestartRequired");

    vm.write("/disk/before", "kept");
    int boots = vm.boots();
    vm.inPod("sh", "-c", "kill -9 $(pidof qemu-system-x86_64)");
    vm.awaitExit("HostSignal", Vm.TOLD);
    vm.awaitReady();
    assertThat(vm.podUid()).as("the pod, whose arguments have the old size").isEqualTo(pod);
    assertThat(vm.status().process().restarts()).isEqualTo(1);
    assertThat(vm.boots()).isEqualTo(boots + 1);
    assertThat(sectors(vm)).isEqualTo(128 * MEBIBYTE);
    assertThat(vm.run("cat /disk/before").strip()).isEqualTo("kept");
    assertThat(vm.status().disks().getFirst().capacity()).hasToString("128Mi");
    assertThat(vm.status().pendingChanges()).isEmpty();
    vm.delete();
  }

  @Test
  void diskWhoseClaimCannotGrowStaysAsItIsAndSaysWhatToDo() {
    Vm vm = Vm.apply(NAMESPACE.name(), "stays", manifest("stays", "storage: {claim: {}}"));
    vm.awaitReady();
    grow(vm, "128Mi", "storage: {claim: {}}");
    PendingChange held = awaitReason(vm, "ClaimRefused", Vm.TOLD);
    assertThat(held.applies()).isEqualTo("Live");
    assertThat(held.running()).isEqualTo("64Mi");
    assertThat(held.message())
        .contains("must support resize", "StorageClass local-path", "allowVolumeExpansion");
    assertThat(vm.eventReasons()).contains("DiskNotGrown");
    assertThat(vm.condition("Ready").orElseThrow().getStatus()).isEqualTo("True");
    assertThat(vm.condition("Accepted").orElseThrow().getStatus()).isEqualTo("True");
    assertThat(vm.condition("RestartRequired").orElseThrow().getStatus()).isEqualTo("False");

    vm.annotate("qemu-operator.dev/restart-requested-at", "now");
    vm.awaitExit("Requested", Vm.BOOT);
    vm.awaitReady();
    assertThat(sectors(vm)).as("nor by a restart").isEqualTo(64 * MEBIBYTE);
    awaitReason(vm, "ClaimRefused", Vm.TOLD);
    vm.delete();
  }

  /** The test cluster has nothing that expands volumes, so the test says that it was done. */
  @Test
  void diskGrowsWhenItsClaimHasAndItsBaseImageIsCopied() {
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: storage.k8s.io/v1
        kind: StorageClass
        metadata: {name: expandable}
        provisioner: rancher.io/local-path
        volumeBindingMode: WaitForFirstConsumer
        allowVolumeExpansion: true
        """);
    String storage = "storage: {claim: {storageClassName: expandable}}";
    Vm vm = Vm.apply(NAMESPACE.name(), "follows", manifest("follows", storage));
    vm.awaitReady();
    grow(vm, "128Mi", storage);
    PendingChange waits = awaitReason(vm, "ClaimExpanding", Vm.TOLD);
    assertThat(waits.message()).contains("which has 64Mi");
    assertThat(claim(vm, "{.spec.resources.requests.storage}")).isEqualTo("128Mi");
    setClaim(vm, "{\"conditions\":[{\"type\":\"FileSystemResizePending\",\"status\":\"True\"}]}");
    vm.await(
        "told of the file system",
        Vm.TOLD,
        now -> now.pendingChanges().getFirst().message().contains("file system"));
    vm.await("copying", COPIED, now -> now.disks().getFirst().progress() != null);
    assertThat(sectors(vm)).isEqualTo(64 * MEBIBYTE);

    setClaim(vm, "{\"conditions\":[],\"capacity\":{\"storage\":\"128Mi\"}}");
    awaitReason(vm, "CopyingBaseImage", Vm.TOLD);
    awaitCapacity(vm, "128Mi", COPIED);
    assertThat(sectors(vm)).isEqualTo(128 * MEBIBYTE);
    VirtualMachineStatus grown = vm.status();
    assertThat(grown.disks().getFirst().selfContained()).isTrue();
    assertThat(grown.pendingChanges()).isEmpty();

    String pod = vm.podUid();
    vm.annotate("qemu-operator.dev/restart-requested-at", "now");
    vm.awaitExit("Requested", Vm.BOOT);
    vm.awaitReady();
    assertThat(vm.podUid()).isNotEqualTo(pod);
    assertThat(sectors(vm)).isEqualTo(128 * MEBIBYTE);
    assertThat(vm.status().pendingChanges()).isEmpty();
    vm.delete();
  }

  private static String manifest(String name, String storage) {
    return Vm.tinyManifest(name, Installation.image("guest-tiny"), "  " + storage);
  }

  private static void grow(Vm vm, String size, String storage) {
    Vm.apply(vm.namespace(), manifest(vm.name(), storage).replace("size: 64Mi", "size: " + size));
  }

  private static void awaitCapacity(Vm vm, String capacity, Duration patience) {
    vm.await(
        "a disk of " + capacity,
        patience,
        now ->
            now.disks().getFirst().capacity() != null
                && now.disks().getFirst().capacity().toString().equals(capacity));
  }

  private static PendingChange awaitReason(Vm vm, String reason, Duration patience) {
    return vm.await("held up by " + reason, patience, now -> reasons(now).equals(List.of(reason)))
        .pendingChanges()
        .getFirst();
  }

  private static List<String> reasons(VirtualMachineStatus status) {
    return status.pendingChanges() == null
        ? List.of()
        : status.pendingChanges().stream().map(change -> String.valueOf(change.reason())).toList();
  }

  private static String claim(Vm vm, String field) {
    return Cluster.get()
        .kubectl("get", "pvc", vm.name() + "-root", "-n", vm.namespace(), "-o", "jsonpath=" + field)
        .text()
        .strip();
  }

  private static void setClaim(Vm vm, String status) {
    Cluster.get()
        .kubectl(
            "patch",
            "pvc",
            vm.name() + "-root",
            "-n",
            vm.namespace(),
            "--subresource=status",
            "--type=merge",
            "-p",
            "{\"status\":" + status + "}")
        .text();
  }

  /** As the guest sees its boot disk. */
  private static long sectors(Vm vm) {
    return Long.parseLong(vm.run("cat /sys/block/$(basename $(disk root))/size").strip());
  }
}
