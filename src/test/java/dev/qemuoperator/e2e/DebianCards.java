package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import java.util.List;
import java.util.Locale;

/**
 * The cards of a Debian, one of each kind: an IPv4 address that is given, the pod network, DHCP on
 * a LAN and an IPv6 address that is given; and which program in the guest sets them up. Each is on
 * a LAN of its own: Linux answers for an address at all its cards.
 */
record DebianCards(TestLan home, TestLan lab, TestLan six) implements AutoCloseable {

  private static final String ADDRESS = "10.84.0.53";
  private static final String ADDRESS_6 = "fd00:84::53";
  private static final String MAC = "52:54:00:84:00:53";

  /** Lines of a VM's spec. */
  static final String SPEC =
      Vm.furtherSpec(
          "networks:",
          "- name: home",
          "  bridge: {network: debian-home, address: %s}".formatted(ADDRESS),
          "  macAddress: \"%s\"".formatted(MAC),
          "- {name: default, pod: {}}",
          "- {name: lab, bridge: {network: debian-lab, dhcp: true}}",
          "- {name: six, bridge: {network: debian-six, address: \"%s\"}}".formatted(ADDRESS_6));

  /** What cloud-init writes a configuration for. */
  enum Renderer {
    NETWORKD("/etc/systemd/network/10-cloud-init-eth0.network"),
    NETPLAN("/etc/netplan/50-cloud-init.yaml"),
    /** The configuration of ifupdown. */
    ENI(
        "/etc/network/interfaces.d/50-cloud-init",
        "systemctl mask systemd-networkd.service systemd-networkd.socket"
            + " systemd-networkd-wait-online.service",
        "systemctl unmask networking.service",
        "systemctl enable networking.service");

    private final String configuration;
    private final List<String> changes;

    /**
     * @param configuration the file that cloud-init writes
     * @param changes what else the guest must do to be set up so
     */
    Renderer(String configuration, String... changes) {
      this.configuration = configuration;
      this.changes = List.of(changes);
    }
  }

  static DebianCards start(String namespace) {
    TestLan home = TestLan.start(namespace, "br-home", "10.84.0.1");
    TestLan lab = TestLan.start(namespace, "br-lab", "10.83.0.1");
    lab.serveDhcp("10.83.0.100", "10.83.0.109");
    TestLan six = TestLan.start(namespace, "br-six", "10.82.0.1");
    six.host("echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6").text();
    six.host("ip addr add fd00:84::1/64 dev eth0").text();
    Vm.apply(
        namespace,
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: BridgeNetwork
        metadata: {name: debian-home, labels: {test: debian}}
        spec:
          bridge: br-home
          cidr: 10.84.0.0/24
          gateway: 10.84.0.1
          dns: [10.84.0.1]
          searchDomains: [home.example]
        ---
        apiVersion: qemu-operator.dev/v1alpha1
        kind: BridgeNetwork
        metadata: {name: debian-lab, labels: {test: debian}}
        spec: {bridge: br-lab, cidr: 10.83.0.0/24}
        ---
        apiVersion: qemu-operator.dev/v1alpha1
        kind: BridgeNetwork
        metadata: {name: debian-six, labels: {test: debian}}
        spec: {bridge: br-six, cidr: "fd00:84::/64"}
        """);
    return new DebianCards(home, lab, six);
  }

  /** The networks can be deleted once no VM uses them. */
  @Override
  public void close() {
    Cluster.get().kubectl("delete", "qbn", "-l", "test=debian").text();
    home.close();
    lab.close();
    six.close();
  }

  /** From the first boot of the next instance on, another program sets the cards up. */
  static void nextInstanceIsSetUpBy(Renderer renderer, Ssh ssh, Vm vm) {
    ssh.run(
        vm,
        """
        sudo sh -e <<'END'
        echo 'system_info: {network: {renderers: [%s]}}' > /etc/cloud/cloud.cfg.d/90-renderer.cfg
        rm -f /etc/systemd/network/10-cloud-init-* /etc/netplan/50-cloud-init.yaml
        %s
        END
        """
            .formatted(
                renderer.name().toLowerCase(Locale.ROOT), String.join("\n", renderer.changes)));
  }

  /**
   * The guest has them as the spec says, who is on the LAN logs in at the address that was given,
   * and the status has the one that was not.
   */
  void areAsTheSpecSays(Renderer renderer, Ssh ssh, Vm vm) {
    Ssh fromHome = ssh.from(home, ADDRESS);
    assertThat(fromHome.run(vm, "sudo cat " + renderer.configuration)).contains(ADDRESS);
    assertThat(home.host("ip neigh").stdout()).contains(ADDRESS + " dev eth0 lladdr " + MAC);
    assertThat(ssh.run(vm, "ls /sys/class/net")).isEqualTo("eth0\neth1\neth2\neth3\nlo");
    assertThat(addresses(0, ssh, vm)).containsExactly(ADDRESS + "/24");
    assertThat(addresses(1, ssh, vm)).containsExactly("10.0.2.15/24");
    assertThat(addresses(2, ssh, vm)).singleElement().asString().matches("10\\.83\\.0\\.10\\d/24");
    assertThat(addresses(3, ssh, vm)).containsExactly(ADDRESS_6 + "/64");
    assertThat(ssh.run(vm, "ip route get 192.0.2.1"))
        .as("the way out")
        .contains("via 10.84.0.1 dev eth0");
    assertThat(ssh.run(vm, "resolvectl dns eth0 && resolvectl domain eth0"))
        .as("names of the first card")
        .contains("10.84.0.1", "home.example");
    if (renderer != Renderer.ENI) { // what it takes of a lease is its DHCP client's matter
      assertThat(ssh.run(vm, "resolvectl dns eth1 && resolvectl dns eth2"))
          .as("name servers of the others")
          .doesNotContain("10.");
    }
    String leased = addresses(2, ssh, vm).getFirst().replace("/24", "");
    assertThat(lab.host("ping -c 1 -W 2 " + leased).exitCode()).isZero();
    assertThat(six.host("ping -c 1 -W 2 " + ADDRESS_6).exitCode()).isZero();
    vm.await(
        "what the server gave",
        Vm.REPORTED_AGAIN,
        now -> now.networks().get(2).addresses().equals(List.of(leased)));
    assertThat(vm.status().networks())
        .extracting(VirtualMachineStatus.Network::source)
        .containsExactly("Guest", "Pod", "Guest", "Guest");
    assertThat(vm.condition("NetworkReady").orElseThrow().getStatus()).isEqualTo("True");
  }

  /** Those of a card that others may reach. */
  private static List<String> addresses(int card, Ssh ssh, Vm vm) {
    return ssh.run(vm, "ip -o addr show scope global dev eth%d | awk '{print $4}'".formatted(card))
        .lines()
        .toList();
  }
}
