package dev.qemuoperator.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.BridgeNetworkStatus.Lease;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.network.Leases.Card;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CardsTest {

  private static final String AN_ADDRESS_OF_EACH_KIND =
      """
      - {name: default, pod: {}}
      - {name: lan, bridge: {network: home}}
      - {name: six, bridge: {network: home, address: "FD00:0::5"}}
      - {name: dhcp, bridge: {network: home, dhcp: true}}
      - {name: lab, bridge: {network: lab}}
      """;

  private static VirtualMachine vm(String networks, String told) {
    return Serialization.unmarshal(
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {namespace: ns, name: web, uid: uid-of-web, creationTimestamp: "2026-01-01T00:00:00Z"}
        spec:
          networks:
        %s
        status:
          networks: %s
        """
            .formatted(networks.indent(2), told),
        VirtualMachine.class);
  }

  private static Card card(String network, String wanted, String known) {
    return new Card(
        "ns",
        "web",
        "uid-of-web",
        network,
        Optional.ofNullable(wanted),
        Optional.ofNullable(known),
        "2026-01-01T00:00:00Z");
  }

  @Test
  void cardsOfALanAreThoseThatWantAnAddressOfIt() {
    assertThat(Cards.of(vm(AN_ADDRESS_OF_EACH_KIND, "[]"), "home"))
        .containsExactly(card("lan", null, null), card("six", "fd00::5", null));
    assertThat(Cards.of(vm("- {name: default, pod: {}}", "[]"), "home")).isEmpty();
  }

  @Test
  void addressThatTheOperatorGaveIsKnownAndWhatAGuestSaysIsNot() {
    String networks = "- {name: lan, bridge: {network: home}}";
    assertThat(
            Cards.of(
                vm(networks, "[{name: lan, addresses: [10.0.0.7], source: Assigned}]"), "home"))
        .containsExactly(card("lan", null, "10.0.0.7"));
    assertThat(
            Cards.of(vm(networks, "[{name: lan, addresses: [10.0.0.7], source: Guest}]"), "home"))
        .containsExactly(card("lan", null, null));
    assertThat(Cards.of(vm(networks, "[{name: lan}]"), "home"))
        .containsExactly(card("lan", null, null));
  }

  private static Pod pod(String more) {
    return Serialization.unmarshal(
        """
        apiVersion: v1
        kind: Pod
        metadata:
          namespace: ns
          name: web
          annotations: {qemu-operator.dev/lan-addresses: home/lan=10.0.0.7 home/six=fd00::5 lab/lab=10.1.0.7 home/lan=x nonsense}
        %s
        """
            .formatted(more.indent(2)),
        Pod.class);
  }

  @Test
  void podHoldsTheAddressesOfTheLanThatItWasMadeWith() {
    Pod pod =
        pod(
            """
            labels: {qemu-operator.dev/vm: web-vm}
            ownerReferences: [{uid: uid-of-web, kind: VirtualMachine, name: web, apiVersion: v1}]
            """);
    assertThat(Cards.held(pod, "home"))
        .containsExactly(
            new Lease("10.0.0.7", "ns", "web-vm", "uid-of-web", "lan"),
            new Lease("fd00::5", "ns", "web-vm", "uid-of-web", "six"));
  }

  @Test
  void podThatIsNobodysGoesByItsOwnName() {
    assertThat(Cards.held(pod("labels: {}"), "lab"))
        .containsExactly(new Lease("10.1.0.7", "ns", "web", "", "lab"));
  }
}
