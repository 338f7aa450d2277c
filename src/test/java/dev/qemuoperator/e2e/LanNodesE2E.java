package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.ExtraNode;
import dev.qemuoperator.cluster.TestNamespace;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
        vms.stream()
            .map(vm -> manifest(vm.name(), "", "bridge: {network: two}"))
            .collect(Collectors.joining("---\n")));
    vms.forEach(Vm::awaitReady);
    Map<String, String> macOfAddress =
        vms.stream()
            .map(vm -> vm.status().networks().getLast())
            .collect(
                Collectors.toMap(
                    network -> network.addresses().getFirst(),
                    VirtualMachineStatus.Network::macAddress));
    assertThat(macOfAddress).hasSize(20);
    assertThat(macOfAddress.values()).doesNotHaveDuplicates();
    assertThat(vms)
        .extracting(vm -> vm.status().nodeName())
        .contains(lan.nodeName(), second.name());

    vms.forEach(vm -> setAddress(vm, vm.status().networks().getLast().addresses().getFirst()));
    macOfAddress.keySet().forEach(address -> awaitAnswer(address, "the LAN"));
    String neighbours = lan.host("ip neigh").stdout();
    macOfAddress.forEach(
        (address, mac) -> assertThat(neighbours).contains(address + " dev eth0 lladdr " + mac));
    vms.forEach(vm -> vm.resource().delete());
  }

  private static void setAddress(Vm vm, String address) {
    vm.run("ip link set eth1 up; ip addr add %s/24 dev eth1".formatted(address));
  }

  private static void awaitAnswer(String address, String where) {
    Awaitility.await("the LAN's host reaches %s on %s".formatted(address, where))
        .atMost(REACHED)
        .until(() -> lan.host("ping -c 1 -W 1 " + address).exitCode() == 0);
  }

  /** The VM runs on a node, is reached by a host of the LAN, and is deleted. */
  private static void boot(String placement, String node) {
    Vm vm = apply(placement);
    vm.awaitReady();
    assertThat(vm.status().nodeName()).isEqualTo(node);
    setAddress(vm, ADDRESS);
    awaitAnswer(ADDRESS, node);
    assertThat(lan.host("ip neigh").stdout()).contains(ADDRESS, MAC);
    vm.delete();
  }

  private static Vm apply(String placement) {
    String card = "bridge: {network: two, address: %s}, macAddress: \"%s\"".formatted(ADDRESS, MAC);
    return Vm.apply(NAMESPACE.name(), "moved", manifest("moved", placement, card));
  }

  /** Its disk is no node's. */
  private static String manifest(String name, String placement, String card) {
    return """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: %s}
        spec:
          %s
          memory: {size: 128Mi}
          terminationGracePeriodSeconds: 30
          readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
          networks:
          - {name: default, pod: {}}
          - {name: lan, %s}
          disks:
          - name: root
            storage: {ephemeral: {}}
            source: {containerImage: {image: "%s"}}
        """
        .formatted(name, placement, card, Installation.image("guest-tiny"));
  }
}
