package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.BridgeNetworkStatus;
import dev.qemuoperator.api.BridgeNetworkStatus.Lease;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** VMs on a LAN: who is reached there, at which address, and who is not let on it. */
class LansE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final String HOST = "10.86.0.1";
  private static final Duration REACHED = Duration.ofSeconds(2);

  /** A container that ended with an error is started again after 10 s, 20 s, 40 s. */
  private static final Duration TRIED_AGAIN = Duration.ofSeconds(90);

  /** Looked for every 3 s by the pod, and asked for every 2 s by the operator. */
  private static final Duration SEEN = Duration.ofSeconds(20);

  /** A bridge that no node has is looked for every 30 s. */
  private static final Duration LOOKED_AGAIN = Duration.ofSeconds(60);

  private static TestLan lan;

  @BeforeAll
  static void build() {
    Installation.get();
    lan = TestLan.start(NAMESPACE.name(), "br-e2e", HOST);
    network("lan", "br-e2e", "10.86.0.0/24", "pool: {start: 10.86.0.100, end: 10.86.0.119}");
  }

  @AfterAll
  static void remove() {
    Cluster.get().kubectl("delete", "qvm", "--all", "-n", NAMESPACE.name()).text();
    Cluster.get().kubectl("delete", "qbn", "-l", "test=lans").text();
    lan.close();
  }

  @Test
  void hostOfTheLanReachesTheGuestAtItsAddressAndAgainWhenItIsMadeAnew() {
    List<String> before = lan.links();
    Vm vm = onLan("static", "address: 10.86.0.53", "52:54:00:86:00:53");
    vm.awaitReady();
    assertThat(vm.status().networks())
        .filteredOn(network -> network.name().equals("lan"))
        .singleElement()
        .satisfies(
            network -> {
              assertThat(network.macAddress()).isEqualTo("52:54:00:86:00:53");
              assertThat(network.addresses()).containsExactly("10.86.0.53");
            });
    assertThat(vm.condition("NetworkReady").orElseThrow().getMessage())
        .contains("BridgeNetwork/lan");
    setAddress(vm, "10.86.0.53");
    assertThat(lan.host("ping -c 3 -W 1 10.86.0.53").stdout()).contains(" 0% packet loss");
    assertThat(lan.host("ip neigh").stdout()).contains("10.86.0.53", "52:54:00:86:00:53");
    assertThat(
            lan.host("wget -q -O - http://10.86.0.53/cgi-bin/exec --post-data=hostname").exitCode())
        .as("a port of the guest")
        .isZero();
    assertThat(vm.run("ping -c 3 -W 1 %s".formatted(HOST))).contains(" 0% packet loss");
    String pod = servingPod();
    assertThat(vm.run("get http://%s/".formatted(pod))).as("a pod").contains("of a pod");
    Awaitility.await("a Service, by its name")
        .atMost(TRIED_AGAIN)
        .until(
            () -> vm.run("get http://serving.%s.svc.cluster.local/".formatted(NAMESPACE.name())),
            answer -> answer.contains("of a pod"));
    assertThat(vm.inPod("ls", "/host/proc")).as("of the node beside QEMU").isBlank();

    vm.delete();
    Awaitility.await("nothing is left at the bridge")
        .atMost(Vm.TOLD)
        .until(() -> lan.links().equals(before));
    Vm again = onLan("static", "address: 10.86.0.53", "52:54:00:86:00:53");
    again.awaitReady();
    setAddress(again, "10.86.0.99");
    again.run("ping -c 1 -W 1 " + HOST);
    again.awaitCondition("NetworkReady", "False", "AddressDiffers", SEEN);
    assertThat(again.condition("NetworkReady").orElseThrow().getMessage())
        .contains("was seen to use 10.86.0.99, and was given 10.86.0.53");
    again.run("ip addr del 10.86.0.99/24 dev eth1");
    setAddress(again, "10.86.0.53");
    Awaitility.await("the LAN's host reaches it, which has not forgotten the earlier one")
        .atMost(REACHED)
        .until(() -> lan.host("ping -c 1 -W 1 10.86.0.53").exitCode() == 0);
    again.awaitCondition("NetworkReady", "True", "Ready", SEEN);
    again.delete();
  }

  /** A web server beside the guest, and a Service for it; the pod's address. */
  private static String servingPod() {
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: serving, labels: {app: serving}}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
          - name: httpd
            image: "%s"
            command: [sh, -c, "echo of a pod > /run/index.html; exec busybox httpd -f -h /run"]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: serving}
        spec: {selector: {app: serving}, ports: [{port: 80}]}
        """
            .formatted(Installation.image("runner")));
    return Cluster.get()
        .client()
        .pods()
        .inNamespace(NAMESPACE.name())
        .withName("serving")
        .waitUntilReady(1, TimeUnit.MINUTES)
        .getStatus()
        .getPodIP();
  }

  @Test
  void guestOnTheLanAloneGetsItsAddressFromTheLansServer() {
    String given = "10.89.0.200";
    TestLan leases = TestLan.start(NAMESPACE.name(), "br-leases", "10.89.0.1");
    leases.serveDhcp(given, given);
    network("leases", "br-leases", "10.89.0.0/24", "");
    Vm vm =
        Vm.apply(
            NAMESPACE.name(),
            "leased",
            """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachine
            metadata: {name: leased}
            spec:
              memory: {size: 192Mi}
              networks: [{name: lan, bridge: {network: leases, dhcp: true}}]
              disks:
              - name: root
                source: {containerImage: {image: "%s"}}
                storage: {ephemeral: {}}
            """
                .formatted(Installation.image("guest-tiny")));
    Awaitility.await("the guest's web server, at the address that it was given")
        .atMost(Vm.BOOT)
        .until(
            () -> leases.host("wget -q -O - http://%s/index.html".formatted(given)).stdout(),
            answer -> answer.contains("boots 1"));
    VirtualMachineStatus.Network card =
        vm.await("the address", SEEN, now -> "Observed".equals(now.networks().getFirst().source()))
            .networks()
            .getFirst();
    assertThat(card.addresses()).as("of a guest that does not tell them").containsExactly(given);
    assertThat(leases.host("ip neigh").stdout())
        .contains(given + " dev eth0 lladdr " + card.macAddress());
    vm.delete();
    leases.close();
  }

  @Test
  void addressOfAnotherVmIsRefusedUntilThatHasGone() {
    Vm first = onLan("first", "address: 10.86.0.60", null);
    first.awaitReady();
    Vm second = onLan("second", "address: 10.86.0.60", null);
    second.awaitCondition("NetworkReady", "False", "AddressInUse", Vm.TOLD);
    assertThat(second.condition("NetworkReady").orElseThrow().getMessage())
        .contains("10.86.0.60", NAMESPACE.name() + "/first");
    assertThat(second.podUid()).isEmpty();
    assertThat(second.eventReasons()).contains("AddressInUse");
    first.resource().delete();
    first.awaitNoPod(Duration.ofMinutes(2));
    second.awaitReady();
    second.delete();
  }

  @Test
  void addressThatAHostOfTheLanHasIsRefusedUntilItHasGone() {
    lan.host("ip addr add 10.86.0.70/24 dev eth0").text();
    Vm vm = onLan("taken", "address: 10.86.0.70", null);
    vm.awaitCondition("NetworkReady", "False", "AddressInUse", Vm.BOOT);
    String mac = lan.host("cat /sys/class/net/eth0/address; ip -o link show eth0").stdout();
    String message = vm.condition("NetworkReady").orElseThrow().getMessage();
    assertThat(message).contains("10.86.0.70");
    assertThat(mac).contains(message.replaceAll("(?s).*?((?:[0-9a-f]{2}:){5}[0-9a-f]{2}).*", "$1"));
    lan.host("ip addr del 10.86.0.70/24 dev eth0").text();
    vm.awaitCondition("Ready", "True", "Running", TRIED_AGAIN);
    vm.delete();
  }

  @Test
  void poolGivesEachItsOwnUntilItIsExhausted() {
    List<Vm> vms = IntStream.range(0, 20).mapToObj(i -> halted("pool-" + i)).toList();
    Set<String> addresses =
        vms.stream()
            .map(vm -> vm.await("an address", Vm.BOOT, now -> !addresses(vm).isEmpty()))
            .map(status -> status.networks().getFirst().addresses().getFirst())
            .collect(Collectors.toSet());
    assertThat(addresses)
        .hasSize(20)
        .allMatch(address -> address.matches("10\\.86\\.0\\.1[01]\\d"));
    awaitNetwork("lan", "all are given", now -> Integer.valueOf(0).equals(now.free()));

    Vm late = halted("late");
    awaitNetwork("lan", "one has none", now -> now.conflicts().size() == 1);
    late.setRunStrategy("Always");
    late.awaitCondition("NetworkReady", "False", "PoolExhausted", Vm.TOLD);
    String freed = addresses(vms.getFirst()).getFirst();
    vms.getFirst().resource().delete();
    late.await("the address that is free now", Vm.TOLD, now -> addresses(late).contains(freed));
    late.awaitCondition("Running", "True", "Running", Vm.BOOT);

    Installation.get().kill();
    Installation.get().awaitReady();
    vms.stream().skip(1).forEach(vm -> assertThat(addresses).containsAll(addresses(vm)));
    assertThat(status("lan").addresses()).extracting(Lease::address).doesNotHaveDuplicates();
    late.resource().delete();
    vms.forEach(vm -> vm.resource().delete());
    awaitNetwork("lan", "all are free", now -> Integer.valueOf(20).equals(now.free()));
  }

  @Test
  void vmWaitsUntilANodeHasTheBridgeAndThatIsKnownToHaveLostIt() {
    network("elsewhere", "br-later", "10.87.0.0/24", "");
    Vm vm =
        Vm.tiny(
            NAMESPACE.name(),
            "elsewhere",
            "networks:",
            "- {name: default, pod: {}}",
            "- {name: lan, bridge: {network: elsewhere, dhcp: true}}");
    vm.awaitCondition("NetworkReady", "False", "NoNode", Vm.TOLD);
    String node = status("elsewhere").nodes().getFirst().name();
    assertThat(vm.condition("NetworkReady").orElseThrow().getMessage())
        .contains("Node " + node + ": It has no bridge br-later, but", "br-e2e");
    assertThat(vm.podUid()).isEmpty();
    assertThat(vm.eventReasons()).contains("NoNode");

    lan.node("ip link add br-later type bridge && ip link set br-later up").text();
    vm.awaitCondition("Ready", "True", "Running", LOOKED_AGAIN);
    assertThat(status("elsewhere").nodes())
        .containsExactly(new BridgeNetworkStatus.Node(node, "Ready", null));

    String pod = vm.podUid();
    lan.node("ip link del br-later").text();
    vm.inPod("sh", "-c", "kill -9 $(pidof qemu-system-x86_64)");
    vm.awaitCondition("NetworkReady", "False", "BridgeMissing", Vm.BOOT);
    awaitNetwork(
        "elsewhere",
        "that the node has lost it",
        now -> now.nodes().getFirst().state().equals("BridgeMissing"));
    assertThat(vm.podUid()).as("where there is no better node").isEqualTo(pod);
    lan.node("ip link add br-later type bridge && ip link set br-later up").text();
    vm.awaitCondition("Ready", "True", "Running", TRIED_AGAIN);
    lan.node("ip link del br-later").text();
    vm.delete();
  }

  @Test
  void networkThatIsNotThereOrContradictsItselfIsAwaited() {
    Vm vm =
        Vm.tiny(
            NAMESPACE.name(),
            "waits",
            "networks:",
            "- {name: default, pod: {}}",
            "- {name: lan, bridge: {network: later}}");
    vm.awaitCondition("NetworkReady", "False", "BridgeNetworkNotFound", Vm.TOLD);
    network("later", "br-e2e", "10.88.0.0/24", "gateway: 10.89.0.1");
    vm.awaitCondition("NetworkReady", "False", "BridgeNetworkInvalid", Vm.TOLD);
    network("later", "br-e2e", "10.88.0.0/24", "gateway: 10.88.0.1");
    vm.awaitCondition("NetworkReady", "False", "NoPool", Vm.TOLD);
    network(
        "later",
        "br-e2e",
        "10.88.0.0/24",
        "pool: {start: 10.88.0.5, end: 10.88.0.5}\n  allowedNamespaces: [other]");
    vm.awaitCondition("NetworkReady", "False", "NamespaceNotAllowed", Vm.TOLD);
    network("later", "br-e2e", "10.88.0.0/24", "pool: {start: 10.88.0.5, end: 10.88.0.5}");
    vm.awaitReady();
    assertThat(vm.eventReasons())
        .contains("BridgeNetworkNotFound", "BridgeNetworkInvalid", "NoPool", "NamespaceNotAllowed");
    vm.delete();
  }

  /** The tiny guest takes no address by itself but by DHCP. */
  private static void setAddress(Vm vm, String address) {
    vm.run("ip link set eth1 up; ip addr add %s/24 dev eth1".formatted(address));
  }

  private static Vm onLan(String name, String wish, String mac) {
    return Vm.tiny(
        NAMESPACE.name(),
        name,
        "networks:",
        "- {name: default, pod: {}}",
        "- name: lan",
        "  bridge: {network: lan, %s}".formatted(wish),
        mac == null ? "" : "  macAddress: \"%s\"".formatted(mac));
  }

  private static Vm halted(String name) {
    return Vm.apply(
        NAMESPACE.name(),
        name,
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: %s}
        spec:
          runStrategy: Halted
          memory: {size: 96Mi}
          terminationGracePeriodSeconds: 5
          networks: [{name: lan, bridge: {network: lan}}]
          disks:
          - {name: root, source: {containerImage: {image: "%s"}}, storage: {ephemeral: {}}}
        """
            .formatted(name, Installation.image("guest-tiny")));
  }

  private static List<String> addresses(Vm vm) {
    return Optional.ofNullable(vm.status().networks()).stream()
        .flatMap(List::stream)
        .filter(network -> network.name().equals("lan"))
        .flatMap(network -> network.addresses().stream())
        .toList();
  }

  private static void network(String name, String bridge, String cidr, String more) {
    Vm.apply(
        NAMESPACE.name(),
        """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: BridgeNetwork
            metadata: {name: %s, labels: {test: lans}}
            spec:
              bridge: %s
              cidr: %s
              %s
            """
            .formatted(name, bridge, cidr, more));
  }

  private static BridgeNetworkStatus status(String network) {
    return Cluster.get()
        .client()
        .resources(BridgeNetwork.class)
        .withName(network)
        .require()
        .getStatus();
  }

  private static void awaitNetwork(
      String network, String what, Predicate<BridgeNetworkStatus> predicate) {
    Awaitility.await(network + ": " + what)
        .atMost(Duration.ofSeconds(30))
        .until(() -> status(network), now -> now != null && predicate.test(now));
  }
}
