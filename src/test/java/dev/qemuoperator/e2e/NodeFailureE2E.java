package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.ExtraNode;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.status.ConditionList;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A VM whose node falls silent, is cut off, and is lost for good, on a second node. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NodeFailureE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  /** Kubernetes waits 50 s until it believes that a node is silent, and is not exact. */
  private static final Duration BELIEVED = Duration.ofSeconds(90);

  private static ExtraNode node;
  private static Vm vm;

  @BeforeAll
  static void boot() {
    Installation.get();
    node = Cluster.get().join();
    node.load(Installation.image("runner"));
    node.load(Installation.image("guest-tiny"));
    label(node.name());
    vm = Vm.apply(NAMESPACE.name(), "moved", manifest());
    vm.awaitReady();
    assertThat(vm.status().nodeName()).isEqualTo(node.name());
  }

  @AfterAll
  static void leave() {
    if (node != null) {
      node.close();
    }
  }

  @Test
  @Order(1)
  void underASilentKubeletTheStatusKnowsWhatQemuSaysAndNoMore() {
    node.stopKubelet();
    VirtualMachineStatus silent =
        vm.awaitCondition("GuestReachable", "Unknown", "NodeNotReady", BELIEVED);
    assertThat(status(silent, "Running")).isEqualTo("True");
    assertThat(status(silent, "Ready")).isEqualTo("Unknown");
    qmpOnItsNode("stop");
    vm.awaitCondition("Running", "False", "Paused", Vm.TOLD);
    qmpOnItsNode("cont");
    vm.awaitCondition("Running", "True", "Running", Vm.TOLD);

    node.run("kill -9 $(pidof qemu-system-x86_64)");
    vm.awaitCondition("Running", "Unknown", "NodeNotReady", Vm.TOLD);
    node.resumeKubelet();
    vm.awaitExit("HostSignal", Vm.BOOT);
    vm.awaitReady();
  }

  @Test
  @Order(2)
  void isolatedNodeIsUnknownAndRightAgainOnceItIsBack() {
    String pod = vm.podUid();
    double uptime = vm.uptime();
    int restarts = vm.status().process().restarts();
    node.isolate();
    vm.awaitCondition("Running", "Unknown", "QMPUnreachable", Duration.ofSeconds(10));
    vm.awaitCondition("Running", "Unknown", "NodeNotReady", BELIEVED);
    node.reconnect();
    vm.awaitReady();
    assertThat(vm.podUid()).isEqualTo(pod);
    assertThat(vm.status().process().restarts()).isEqualTo(restarts);
    assertThat(vm.uptime()).isGreaterThan(uptime);
  }

  @Test
  @Order(3)
  void lostNodeIsNotReplacedUntilSomebodySaysThatItIsOff() {
    vm.patch(
        """
        {"spec":{"tolerations":[{"key":"node.kubernetes.io/unreachable","operator":"Exists",
          "effect":"NoExecute","tolerationSeconds":5}]}}""");
    String earlier = vm.podUid();
    vm.annotate("qemu-operator.dev/restart-requested-at", "before-the-loss");
    vm.await("another pod", Vm.BOOT, now -> !Set.of("", earlier).contains(vm.podUid()));
    vm.awaitReady();
    String pod = vm.podUid();
    node.destroy();
    vm.awaitCondition("Running", "Unknown", "NodeLost", BELIEVED);
    assertThat(vm.podUid()).isEqualTo(pod);
    assertThat(vm.eventReasons()).contains("NodeLost");

    label(
        Cluster.get().client().nodes().list().getItems().stream()
            .map(found -> found.getMetadata().getName())
            .filter(name -> !name.equals(node.name()))
            .findFirst()
            .orElseThrow());
    vm.pod().withGracePeriod(0).delete();
    VirtualMachineStatus told = vm.awaitExit("NodeLost", Duration.ofSeconds(15));
    assertThat(told.lastExit().message()).contains(node.name());
    vm.awaitReady();
    assertThat(vm.status().nodeName()).isNotEqualTo(node.name());
    vm.delete();
  }

  private static String status(VirtualMachineStatus status, String type) {
    return ConditionList.find(status.conditions(), type).orElseThrow().getStatus();
  }

  /** Where the kubelet does nothing, nothing can be executed in a pod. */
  private static void qmpOnItsNode(String command) {
    node.run(
        "chroot /proc/$(pidof qemu-system-x86_64)/root sh -c '"
            + Vm.qmpClient(command).replace("'", "'\\''")
            + "'");
  }

  private static void label(String name) {
    Cluster.get().kubectl("label", "--overwrite", "node", name, "for=" + NAMESPACE.name()).text();
  }

  private static String manifest() {
    return """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: moved}
        spec:
          memory: {size: 192Mi}
          terminationGracePeriodSeconds: 30
          readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
          nodeSelector: {for: %s}
          disks:
          - name: root
            size: 64Mi
            storage: {ephemeral: {}}
            source: {containerImage: {image: "%s"}}
        """
        .formatted(NAMESPACE.name(), Installation.image("guest-tiny"));
  }
}
