package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.PendingChange;
import dev.qemuoperator.cluster.TestNamespace;
import java.time.Duration;
import java.time.Instant;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What people ask of a VM's life, by its spec and by annotations: done once, and done so. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RequestsE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  /** From a request to what follows from it, the guest's own power-off included. */
  private static final Duration SOON = Duration.ofSeconds(60);

  private static Vm vm;

  @BeforeAll
  static void boot() {
    Installation.get();
    vm = Vm.tiny(NAMESPACE.name(), "wishes");
    vm.awaitReady();
  }

  @Test
  @Order(1)
  void pausedGuestKeepsItsMemoryAndGoesOn() {
    vm.run("echo kept > /tmp/memory");
    vm.patch("{\"spec\":{\"paused\":true}}");
    VirtualMachineStatus paused = vm.awaitCondition("Running", "False", "Paused", Vm.TOLD);
    assertThat(paused.process().runState()).isEqualTo("paused");
    vm.patch("{\"spec\":{\"paused\":false}}");
    vm.awaitReady();
    assertThat(vm.run("cat /tmp/memory").strip()).isEqualTo("kept");
  }

  @Test
  @Order(2)
  void resetIsDoneOnceInTheSameProcess() {
    int boots = vm.boots();
    String pod = vm.podUid();
    String request = Instant.now().toString();
    vm.annotate("qemu-operator.dev/reset-requested-at", request);
    awaitBoots(boots + 1);
    assertThat(vm.podUid()).isEqualTo(pod);
    assertThat(vm.status().process().restarts()).isZero();
    assertThat(vm.status().actions().resetRequestedAt()).isEqualTo(request);
    Installation.get().kill();
    Installation.get().awaitReady();
    vm.awaitReady();
    Vm.stays("not reset again by the next operator", () -> vm.boots() == boots + 1);
  }

  @Test
  @Order(3)
  void restartIsAGracefulPowerCycleAndDoneOnce() {
    int boots = vm.boots();
    String pod = vm.podUid();
    String request = Instant.now().toString();
    vm.annotate("qemu-operator.dev/restart-requested-at", request);
    vm.awaitExit("Requested", SOON);
    vm.await("another pod", Vm.BOOT, now -> !vm.podUid().isEmpty() && !vm.podUid().equals(pod));
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(boots + 1);
    assertThat(vm.status().actions().restartRequestedAt()).isEqualTo(request);
    String second = vm.podUid();
    Installation.get().kill();
    Installation.get().awaitReady();
    vm.awaitReady();
    Vm.stays("not restarted again by the next operator", () -> vm.podUid().equals(second));
  }

  @Test
  @Order(4)
  void disabledReconciliationChangesNothingButStillReports() {
    String pod = vm.podUid();
    vm.annotate("qemu-operator.dev/reconcile", "disabled");
    vm.setRunStrategy("Halted");
    vm.awaitCondition("Accepted", "True", "ReconcileDisabled", Vm.TOLD);
    Vm.stays("the guest runs on", () -> vm.podUid().equals(pod));
    vm.qmp("stop");
    vm.awaitCondition("Running", "False", "Paused", Vm.TOLD);
    vm.qmp("cont");
    vm.awaitCondition("Running", "True", "Running", Vm.TOLD);

    vm.setRunStrategy("Always");
    vm.annotate("qemu-operator.dev/reconcile", null);
    vm.awaitCondition("Accepted", "True", "Valid", Vm.TOLD);
    vm.awaitReady();
    assertThat(vm.podUid()).isEqualTo(pod);
  }

  @Test
  @Order(5)
  void fiftyEditsAreOnePendingStateAndNoOtherPod() {
    String pod = vm.podUid();
    for (int edit = 0; edit < 50; edit++) {
      vm.patch("{\"spec\":{\"memory\":{\"size\":\"%dMi\"}}}".formatted(200 + edit));
    }
    VirtualMachineStatus status =
        vm.await(
            "the last edit",
            Vm.TOLD,
            now -> now.pendingChanges().stream().anyMatch(c -> "249Mi".equals(c.desired())));
    assertThat(status.pendingChanges())
        .containsExactly(
            new PendingChange("spec.memory.size", "192Mi", "249Mi", "NextBoot", null, null));
    assertThat(vm.podUid()).isEqualTo(pod);
    assertThat(vm.status().process().restarts()).isZero();
  }

  @Test
  @Order(6)
  void guestsOwnRebootAppliesWhatIsPending() {
    int boots = vm.boots();
    vm.runLast("reboot -f");
    vm.awaitExit("GuestReset", Vm.TOLD);
    vm.await("nothing pending", Vm.BOOT, now -> now.pendingChanges().isEmpty());
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(boots + 1);
    assertThat(vm.inPod("sh", "-c", "tr '\\0' ' ' < /proc/$(pidof qemu-system-x86_64)/cmdline"))
        .contains("-m 249M");

    String pod = vm.podUid();
    vm.runLast("reboot -f");
    awaitBoots(boots + 2);
    assertThat(vm.podUid()).as("with nothing pending a reboot stays inside QEMU").isEqualTo(pod);
    assertThat(vm.status().process().restarts()).isZero();
  }

  @Test
  @Order(7)
  void cpuLimitChangesWhileTheGuestRuns() {
    String pod = vm.podUid();
    double uptime = vm.uptime();
    vm.patch("{\"spec\":{\"cpu\":{\"limitPercent\":50}}}");
    Awaitility.await("the limit of the container")
        .atMost(SOON)
        .until(
            () ->
                vm.inPod(
                        "sh",
                        "-c",
                        "cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null"
                            + " || true")
                    .contains("50000"));
    vm.await("nothing pending", Duration.ofSeconds(90), now -> now.pendingChanges().isEmpty());
    assertThat(vm.podUid()).isEqualTo(pod);
    assertThat(vm.uptime()).isGreaterThan(uptime);
    assertThat(vm.status().process().restarts()).isZero();
  }

  @Test
  @Order(8)
  void guestThatIgnoresItsPowerButtonIsEndedAllTheSameAndEachStepIsTold() {
    vm.patch("{\"spec\":{\"terminationGracePeriodSeconds\":20,\"cpu\":{\"limitPercent\":null}}}");
    vm.annotate("qemu-operator.dev/restart-requested-at", Instant.now().toString());
    vm.await(
        "a pod of that patience", Vm.BOOT, now -> isFresh(now) && now.pendingChanges().isEmpty());
    vm.awaitReady();
    vm.run("touch /tmp/ignore-power-button");
    vm.setRunStrategy("Halted");
    VirtualMachineStatus halted = vm.awaitCondition("Running", "False", "Halted", SOON);
    assertThat(halted.lastExit().cause()).isEqualTo("Requested");
    assertThat(halted.lastExit().stopSteps()).startsWith("PowerButton", "PowerButtonAgain", "Quit");
    assertThat(vm.eventReasons())
        .containsSubsequence("Stopping", "PowerButton", "PowerButtonAgain", "Quit");
    vm.delete();
  }

  private static boolean isFresh(VirtualMachineStatus status) {
    return "Running".equals(status.state())
        && vm.livePod().getSpec().getTerminationGracePeriodSeconds() == 20;
  }

  private static void awaitBoots(int boots) {
    Awaitility.await("boot " + boots)
        .atMost(Vm.BOOT)
        .ignoreExceptions()
        .until(() -> vm.boots() == boots);
    vm.awaitReady();
  }
}
