package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.status.ConditionList;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Run strategies that leave a guest as it has ended. */
class StrategiesE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  /** From an end to what follows from it, the guest's own power-off included. */
  private static final Duration SOON = Duration.ofSeconds(60);

  @BeforeAll
  static void install() {
    Installation.get();
  }

  @Test
  void onceIsRunASingleTimeWhateverBecomesOfItsPod() {
    Vm once = Vm.tiny(NAMESPACE.name(), "once", "runStrategy: Once");
    once.awaitReady();
    once.runLast("echo c > /proc/sysrq-trigger");
    VirtualMachineStatus failed = once.awaitCondition("Running", "False", "Failed", SOON);
    assertThat(failed.state()).isEqualTo("Failed");
    assertThat(failed.lastExit().cause()).isEqualTo("GuestPanic");
    assertThat(failed.lastExit().console()).contains("sysrq");
    once.pod().delete();
    once.awaitNoPod(SOON);
    Vm.stays("no other pod", () -> once.pod().get() == null);
    once.awaitCondition("Running", "False", "Failed", Vm.TOLD);

    once.annotate("qemu-operator.dev/restart-requested-at", Instant.now().toString());
    once.awaitReady();
    assertThat(once.boots()).isEqualTo(2);
    once.runLast("poweroff -f");
    VirtualMachineStatus stopped = once.awaitCondition("Running", "False", "Stopped", SOON);
    assertThat(ConditionList.find(stopped.conditions(), "Ready").orElseThrow().getStatus())
        .isEqualTo("True");
    once.delete();
  }

  @Test
  void rerunOnFailureRunsAgainAfterAPanicAndNotAfterAPowerOff() {
    Vm rerun = Vm.tiny(NAMESPACE.name(), "rerun", "runStrategy: RerunOnFailure");
    rerun.awaitReady();
    String pod = rerun.podUid();
    rerun.runLast("echo c > /proc/sysrq-trigger");
    rerun.awaitExit("GuestPanic", Vm.TOLD);
    rerun.awaitReady();
    assertThat(rerun.boots()).isEqualTo(2);
    assertThat(rerun.podUid()).as("in the same pod").isEqualTo(pod);
    rerun.runLast("poweroff -f");
    rerun.awaitCondition("Running", "False", "Stopped", SOON);
    Vm.stays("it stays off", () -> rerun.status().state().equals("Stopped"));
    rerun.pod().delete();
    rerun.awaitNoPod(SOON);
    Vm.stays("also without its pod", () -> rerun.pod().get() == null);

    rerun.setRunStrategy("Always");
    rerun.awaitReady();
    assertThat(rerun.boots()).isEqualTo(3);
    rerun.delete();
  }
}
