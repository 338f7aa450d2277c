package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.marcnuri.helm.Helm;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.Outcome;
import dev.qemuoperator.cluster.TestNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The tools that wait for a VM, by themselves: docs/user-guide.md tells what they do. */
class HealthE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  /** A registry of this name cannot exist (RFC 2606), so its VM is never Ready. */
  private static final String NO_IMAGE = "registry.invalid/nothing:1";

  @BeforeAll
  static void install() {
    Installation.get();
  }

  @Test
  void kubectlWaitsUntilTheGuestServes() {
    Vm vm = Vm.tiny(NAMESPACE.name(), "running");
    assertThat(kubectlWait(vm, Vm.BOOT).text()).contains("condition met");
    assertThat(vm.run("echo serves").strip()).isEqualTo("serves");
    vm.resource().delete();
  }

  @Test
  void kubectlDoesNotWaitForAHaltedVmToRunButForOneThatIsNotHaltedAnyMore() {
    Vm vm = Vm.tiny(NAMESPACE.name(), "halted", "runStrategy: Halted");
    assertThat(kubectlWait(vm, Duration.ofSeconds(30)).text()).contains("condition met");
    assertThat(vm.pod().get()).as("a halted VM has no pod").isNull();

    // Ready is still True at that moment, but of the spec before
    vm.setRunStrategy("Always");
    kubectlWait(vm, Vm.BOOT).text();
    assertThat(vm.run("echo serves").strip()).isEqualTo("serves");
    vm.resource().delete();
  }

  @Test
  void kubectlTellsThatAVmIsNotReadyInTime() {
    Vm vm = Vm.apply(NAMESPACE.name(), "imageless", Vm.tinyManifest("imageless", NO_IMAGE));
    Outcome waited = kubectlWait(vm, Duration.ofSeconds(5));
    assertThat(waited.exitCode()).isNotZero();
    assertThat(waited.stderr()).contains("timed out waiting for the condition");
    vm.resource().delete();
  }

  /**
   * Helm 3 looks at kinds that it knows, and takes all others as ready. If this fails, helm-java
   * has got a Helm that waits for custom resources, as Helm 4 does: correct docs/user-guide.md, and
   * let the test expect that it waits.
   */
  @Test
  void helmThreeDoesNotWaitForVirtualMachines(@TempDir Path chart) throws IOException {
    Files.writeString(
        chart.resolve("Chart.yaml"), "{apiVersion: v2, name: one-vm, version: 1.0.0}\n");
    Files.createDirectory(chart.resolve("templates"));
    Files.writeString(
        chart.resolve("templates").resolve("vm.yaml"), Vm.tinyManifest("by-helm", NO_IMAGE));
    new Helm(chart)
        .install()
        .withName("one-vm")
        .withNamespace(NAMESPACE.name())
        .withKubeConfig(Cluster.get().kubeconfigFile())
        .waitReady()
        .withTimeout(60)
        .call();

    Vm vm = new Vm(NAMESPACE.name(), "by-helm");
    assertThat(vm.resource().get()).isNotNull();
    assertThat(kubectlWait(vm, Duration.ofSeconds(5)).exitCode())
        .as("Helm was content, and the VM is not Ready")
        .isNotZero();
    vm.resource().delete();
  }

  private static Outcome kubectlWait(Vm vm, Duration patience) {
    return Cluster.get()
        .kubectl(
            "wait",
            "--for=condition=Ready",
            "qvm/" + vm.name(),
            "-n",
            vm.namespace(),
            "--timeout=" + patience.toSeconds() + "s");
  }
}
