package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One VM through everything that can happen to its process; each shows, and shows in time. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LifecycleE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static Vm vm;

  @BeforeAll
  static void boot() {
    Installation.get();
    vm = Vm.tiny(NAMESPACE.name(), "life", "ports: [{name: http, port: 80}]");
    vm.awaitReady();
  }

  @Test
  @Order(1)
  void runningGuestIsReportedAsQemuHasIt() {
    VirtualMachineStatus status = vm.status();
    assertThat(status.state()).isEqualTo("Running");
    assertThat(status.podName()).isEqualTo("life");
    assertThat(status.nodeName()).isEqualTo(vm.livePod().getSpec().getNodeName());
    assertThat(status.process().runState()).isEqualTo("running");
    assertThat(status.process().qemuVersion()).startsWith("10.");
    assertThat(status.process().accelerator()).isIn("KVM", "TCG");
    assertThat(status.networks())
        .singleElement()
        .satisfies(
            network -> {
              assertThat(network.macAddress())
                  .isEqualTo(vm.run("cat /sys/class/net/eth0/address").strip());
              assertThat(network.addresses()).contains(vm.livePod().getStatus().getPodIP());
            });
    assertThat(status.disks())
        .singleElement()
        .satisfies(
            disk -> {
              assertThat(disk.claim()).isEqualTo("life-root");
              assertThat(disk.capacity()).isNotNull();
            });
    assertThat(status.bootTimings().ready()).matches("\\d+s");
    assertThat(status.conditions()).hasSize(8);
    assertThat(vm.console()).contains("TINY-READY");
  }

  @Test
  @Order(2)
  void qemuRunsWithoutRightsAndInItsSandbox() {
    String status = vm.inPod("sh", "-c", "cat /proc/$(pidof qemu-system-x86_64)/status");
    assertThat(status)
        .containsPattern("Uid:\\s+107\\s+107\\s+107\\s+107")
        .containsPattern("CapEff:\\s+0+\\n")
        .containsPattern("CapBnd:\\s+0+\\n")
        .containsPattern("NoNewPrivs:\\s+1")
        .containsPattern("Seccomp:\\s+2");
    assertThat(vm.livePod().getSpec().getAutomountServiceAccountToken()).isFalse();
  }

  @Test
  @Order(3)
  void serviceLeadsToTheGuest() {
    String page =
        Cluster.get()
            .client()
            .raw("/api/v1/namespaces/%s/services/life:http/proxy/".formatted(vm.namespace()));
    assertThat(page).contains("boots");
  }

  @Test
  @Order(4)
  void applyingTheSameManifestAgainChangesNothing() {
    VirtualMachine before = vm.resource().get();
    Vm.tiny(vm.namespace(), "life", "ports: [{name: http, port: 80}]");
    VirtualMachine after = vm.resource().get();
    assertThat(after.getMetadata().getGeneration()).isEqualTo(before.getMetadata().getGeneration());
    assertThat(after.getMetadata().getResourceVersion())
        .isEqualTo(before.getMetadata().getResourceVersion());
  }

  @Test
  @Order(5)
  void operatorOwnsNothingOfTheSpec() {
    List<ManagedFieldsEntry> entries = vm.resource().get().getMetadata().getManagedFields();
    assertThat(entries).isNotEmpty();
    assertThat(entries)
        .filteredOn(entry -> "qemu-operator".equals(entry.getManager()))
        .isNotEmpty()
        .allSatisfy(
            entry ->
                assertThat(entry.getFieldsV1().getAdditionalProperties())
                    .containsOnlyKeys("f:status"));
  }

  @Test
  @Order(6)
  void pausedQemuShowsAndGoesOn() {
    vm.qmp("stop");
    vm.awaitCondition("Running", "False", "Paused", Vm.TOLD);
    assertThat(vm.status().process().runState()).isEqualTo("paused");
    vm.qmp("cont");
    vm.awaitCondition("Running", "True", "Running", Vm.TOLD);
    vm.awaitReady();
  }

  @Test
  @Order(7)
  void lostMonitorConnectionIsUnknownAndComesBack() {
    // the operator's packets no longer arrive: first nothing happens, then its heartbeat notices
    vm.inPod("nft", "add table inet cut");
    vm.inPod("nft", "add chain inet cut in { type filter hook input priority -300; }");
    vm.inPod("nft", "add rule inet cut in tcp dport 7000-7001 reject with tcp reset");
    try {
      vm.awaitCondition("Running", "Unknown", "QMPUnreachable", Vm.TOLD);
      assertThat(vm.status().process().runState()).isNull();
      assertThat(ConditionList.find(vm.status().conditions(), "Ready").orElseThrow().getStatus())
          .isEqualTo("Unknown");
    } finally {
      vm.inPod("nft", "delete table inet cut");
    }
    vm.awaitCondition("Running", "True", "Running", Duration.ofSeconds(15));
  }

  @Test
  @Order(8)
  void killedQemuIsToldAndStartedAgain() {
    int boots = vm.boots();
    vm.inPod("sh", "-c", "kill -9 $(pidof qemu-system-x86_64)");
    vm.awaitExit("HostSignal", Vm.TOLD);
    assertThat(vm.status().lastExit().exitCode()).isEqualTo(137);
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(boots + 1);
    assertThat(vm.status().process().restarts()).isPositive();
  }

  @Test
  @Order(9)
  void panickedGuestIsToldAndStartedAgain() {
    int boots = vm.boots();
    vm.runLast("echo c > /proc/sysrq-trigger");
    vm.awaitExit("GuestPanic", Vm.TOLD);
    assertThat(ConditionList.find(vm.status().conditions(), "Running").orElseThrow().getStatus())
        .isNotEqualTo("True");
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(boots + 1);
  }

  @Test
  @Order(10)
  void deletedPodIsReplacedAfterAnOrderlyPowerOff() {
    String uid = vm.podUid();
    vm.pod().delete();
    vm.awaitExit("Requested", Duration.ofSeconds(60));
    vm.await("a new pod", Vm.BOOT, status -> !vm.podUid().isEmpty() && !vm.podUid().equals(uid));
    vm.awaitReady();
    assertThat(vm.livePod().getSpec().getInitContainers())
        .as("the base image is known to be on the claim: nothing is fetched again")
        .isEmpty();
  }

  @Test
  @Order(11)
  void guestThatPowersItselfOffIsStartedAgain() {
    int boots = vm.boots();
    vm.runLast("poweroff -f");
    vm.awaitExit("GuestShutdown", Vm.TOLD);
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(boots + 1);
  }

  @Test
  @Order(12)
  void haltedVmPowersOffCleanlyKeepsItsDiskAndComesBack() {
    int boots = vm.boots();
    PersistentVolumeClaim claim = claim();
    vm.setRunStrategy("Halted");
    vm.awaitCondition("Running", "False", "Halted", Duration.ofSeconds(60));
    vm.awaitNoPod(Duration.ofSeconds(5));
    VirtualMachineStatus halted = vm.status();
    assertThat(halted.state()).isEqualTo("Halted");
    assertThat(halted.lastExit().cause()).isEqualTo("Requested");
    assertThat(ConditionList.find(halted.conditions(), "Ready").orElseThrow().getStatus())
        .as("a halted VM that is halted is ready")
        .isEqualTo("True");
    assertThat(claim().getMetadata().getUid()).isEqualTo(claim.getMetadata().getUid());

    vm.setRunStrategy("Always");
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(boots + 1);
  }

  @Test
  @Order(13)
  void changedSpecWaitsForTheNextPodAndSaysSo() {
    double uptime = vm.uptime();
    vm.patch("{\"spec\":{\"memory\":{\"size\":\"224Mi\"}}}");
    vm.awaitCondition("RestartRequired", "True", "SpecChanged", Vm.TOLD);
    assertThat(vm.uptime()).isGreaterThan(uptime);
    vm.patch("{\"spec\":{\"memory\":{\"size\":\"192Mi\"}}}");
    vm.awaitCondition("RestartRequired", "False", "UpToDate", Vm.TOLD);
  }

  @Test
  @Order(14)
  void eventsTellTheVmsDay() {
    assertThat(vm.eventReasons())
        .contains(
            "FetchingImage",
            "DisksReady",
            "Running",
            "Ready",
            "Paused",
            "QMPUnreachable",
            "HostSignal",
            "GuestPanic",
            "Requested",
            "GuestShutdown",
            "Stopping",
            "Halted",
            "RestartRequired");
  }

  @Test
  @Order(15)
  void deletedVmLeavesItsClaimAndAVmOfTheSameNameTakesItUp() {
    int boots = vm.boots();
    vm.delete();
    assertThat(claim()).isNotNull();
    Awaitility.await("what is kept is told")
        .atMost(Vm.TOLD)
        .until(() -> vm.eventReasons().contains("DisksRetained"));
    Awaitility.await("children are collected")
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                Cluster.get()
                    .client()
                    .secrets()
                    .inNamespace(vm.namespace())
                    .withLabel("qemu-operator.dev/vm", "life")
                    .list()
                    .getItems()
                    .isEmpty());
    vm = Vm.tiny(NAMESPACE.name(), "life");
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(boots + 1);
  }

  private static PersistentVolumeClaim claim() {
    return Cluster.get()
        .client()
        .persistentVolumeClaims()
        .inNamespace(vm.namespace())
        .withName("life-root")
        .get();
  }
}
