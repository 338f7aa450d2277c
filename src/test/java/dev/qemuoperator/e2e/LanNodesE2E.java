package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.ExtraNode;
import dev.qemuoperator.cluster.TestNamespace;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A LAN that two nodes are on. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LanNodesE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final String BRIDGE = "br-two";
  private static final String HOST = "10.85.0.1";
  private static final String ADDRESS = "10.85.0.53";
  private static final String MAC = "52:54:00:85:00:53";
  private static final Duration REACHED = Duration.ofSeconds(2);

  private static TestLan lan;
  private static ExtraNode second;

  @BeforeAll
  static void build() {
    Installation.get();
    lan = TestLan.start(NAMESPACE.name(), BRIDGE, HOST);
    second = Cluster.get().join();
    second.load(Installation.image("runner"));
    second.load(Installation.image("guest-tiny"));
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: BridgeNetwork
        metadata: {name: two}
        spec:
          bridge: %s
          cidr: 10.85.0.0/24
          pool: {start: 10.85.0.100, end: 10.85.0.119}
        """
            .formatted(BRIDGE));
  }

  @AfterAll
  static void remove() {
    Cluster.get().kubectl("delete", "qvm", "--all", "-n", NAMESPACE.name()).text();
    Cluster.get().kubectl("delete", "qbn", "two", "--ignore-not-found").text();
    if (second != null) {
      second.close();
    }
    lan.close();
  }

  @Test
  @Order(1)
  void vmGoesWhereTheBridgeIsAndElsewhereKeepsItsAddress() {
    String first = lan.nodeName();
    boot("", first);

    Vm vm = apply("nodeSelector: {kubernetes.io/hostname: %s}".formatted(second.name()));
    vm.awaitCondition("Running", "False", "Unschedulable", Vm.BOOT);
    assertThat(vm.condition("Running").orElseThrow().getMessage())
        .endsWith("Its networks are on these nodes alone: " + first + ".");
    second.extend(BRIDGE);
    Cluster.get()
        .kubectl("annotate", "qbn", "two", "qemu-operator.dev/refresh-requested-at=now")
        .text();
    boot("nodeSelector: {kubernetes.io/hostname: %s}".formatted(second.name()), second.name());
    boot("nodeSelector: {kubernetes.io/hostname: %s}".formatted(first), first);
  }

  @Test
  @Order(2)
  void twentyThatStartTogetherAreTwentyOnTheLan() {
    List<Vm> vms =
        IntStream.range(0, 20)
            .mapToObj(i -> new Vm(NAMESPACE.name(), "one-of-twenty-" + i))
            .toList();
    Vm.apply(
        NAMESPACE.name(),
        vms.stream().map(LanNodesE2E::withoutSystem).collect(Collectors.joining("---\n")));
    vms.forEach(vm -> vm.awaitCondition("Running", "True", "Running", Vm.BOOT));
    List<VirtualMachineStatus.Network> cards =
        vms.stream().map(vm -> vm.status().networks().getFirst()).toList();
    assertThat(cards).flatExtracting(VirtualMachineStatus.Network::addresses).hasSize(20);
    assertThat(cards).extracting(VirtualMachineStatus.Network::addresses).doesNotHaveDuplicates();
    assertThat(cards).extracting(VirtualMachineStatus.Network::macAddress).doesNotHaveDuplicates();
    assertThat(vms)
        .extracting(vm -> vm.status().nodeName())
        .contains(lan.nodeName(), second.name());
    Awaitility.await("the LAN knows where each is")
        .atMost(REACHED)
        .untilAsserted(
            () ->
                assertThat(lan.node("bridge fdb show br " + BRIDGE).stdout())
                    .contains(
                        cards.stream().map(VirtualMachineStatus.Network::macAddress).toList()));
    vms.forEach(vm -> vm.resource().delete());
  }

  /**
   * Twenty guests would boot for minutes; QEMU without one has its card on the LAN all the same.
   */
  private static String withoutSystem(Vm vm) {
    return """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: %s}
        spec:
          memory: {size: 128Mi}
          terminationGracePeriodSeconds: 5
          networks: [{name: lan, bridge: {network: two}}]
          disks: [{name: root, size: 64Mi, source: {blank: {}}, storage: {ephemeral: {}}}]
          cdroms: [{name: installer}]
        """
        .formatted(vm.name());
  }

  /** The VM runs on a node, is reached by a host of the LAN, and is deleted. */
  private static void boot(String placement, String node) {
    Vm vm = apply(placement);
    vm.awaitReady();
    assertThat(vm.status().nodeName()).isEqualTo(node);
    vm.run("ip link set eth1 up; ip addr add %s/24 dev eth1".formatted(ADDRESS));
    Awaitility.await("the LAN's host reaches it on " + node)
        .atMost(REACHED)
        .until(() -> lan.host("ping -c 1 -W 1 " + ADDRESS).exitCode() == 0);
    assertThat(lan.host("ip neigh").stdout()).contains(ADDRESS, MAC);
    vm.delete();
  }

  /** Its disk is no node's. */
  private static Vm apply(String placement) {
    return Vm.apply(
        NAMESPACE.name(),
        "moved",
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: moved}
        spec:
          %s
          memory: {size: 192Mi}
          terminationGracePeriodSeconds: 30
          readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
          networks:
          - {name: default, pod: {}}
          - {name: lan, bridge: {network: two, address: %s}, macAddress: "%s"}
          disks:
          - name: root
            storage: {ephemeral: {}}
            source: {containerImage: {image: "%s"}}
        """
            .formatted(placement, ADDRESS, MAC, Installation.image("guest-tiny")));
  }
}
