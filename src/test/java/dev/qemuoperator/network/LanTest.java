package dev.qemuoperator.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.BridgeNetworkSpec;
import dev.qemuoperator.api.BridgeNetworkSpec.Pool;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LanTest {

  static BridgeNetworkSpec spec(String cidr, String gateway, List<String> dns, Pool pool) {
    return new BridgeNetworkSpec("br0", cidr, gateway, dns, null, null, null, pool, null);
  }

  private static Lan home() {
    return Lan.of(
        spec(
            "192.168.86.7/24",
            "192.168.86.1",
            List.of("192.168.86.2", "9.9.9.9"),
            new Pool("192.168.86.1", "192.168.86.5")));
  }

  @ParameterizedTest
  @CsvSource({
    "192.168.86.53,",
    "192.168.86.0,   is that of the LAN itself",
    "192.168.86.255, is the LAN's broadcast address",
    "192.168.86.1,   is that of the gateway (spec.gateway)",
    "192.168.86.2,   is that of a name server (spec.dns)",
    "192.168.87.1,   is not in the LAN's 192.168.86.0/24",
    "192.168.86.300, is not in the LAN's 192.168.86.0/24",
    "fd00::1,        is not in the LAN's 192.168.86.0/24"
  })
  void objectsToWhatNoVmCanHave(String address, String objection) {
    assertThat(home().objection(address).orElse(null)).isEqualTo(objection);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"192.168.86.010", "192.168.86", "192.168.86.*", "192.168.86.1-5", "*", ""})
  void doesNotGuessWhatIsMeant(String address) {
    assertThat(Lan.canonical(address)).isEmpty();
  }

  @Test
  void networkOfTwoHasNoAddressOfItsOwn() {
    Lan lan = Lan.of(spec("10.0.0.0/31", null, null, null));
    assertThat(lan.objection("10.0.0.0")).isEmpty();
    assertThat(lan.objection("10.0.0.1")).isEmpty();
  }

  @Test
  void poolIsWhatTheLansOwnHostsLeave() {
    assertThat(home().free(Set.of())).contains("192.168.86.3");
    assertThat(home().free(Set.of("192.168.86.3", "192.168.86.4"))).contains("192.168.86.5");
    Set<String> all = Set.of("192.168.86.3", "192.168.86.4", "192.168.86.5");
    assertThat(home().free(all)).isEmpty();
    assertThat(home().count(Set.of("192.168.86.4", "192.168.86.200"))).isEqualTo(2);
    assertThat(home().count(all)).isZero();
  }

  @Test
  void poolOfIpv6CanBeAsLargeAsItLikes() {
    Lan lan =
        Lan.of(
            spec(
                "fd00:86::/64",
                "fd00:86::1",
                List.of(),
                new Pool("fd00:86::1", "fd00:86::ffff:ffff:ffff:ffff")));
    assertThat(lan.free(Set.of())).contains("fd00:86::2");
    assertThat(lan.count(Set.of())).isEqualTo(Integer.MAX_VALUE);
    assertThat(lan.objection("FD00:86:0::0053")).isEmpty();
    assertThat(Lan.canonical("FD00:86:0::0053")).contains("fd00:86::53");
  }

  @ParameterizedTest
  @CsvSource({
    "192.168.86.0/24, 192.168.86.1, 192.168.86.10, 192.168.86.20,",
    "192.168.86.0/33, 192.168.86.1, 192.168.86.10, 192.168.86.20, 192.168.86.0/33 is no address",
    "192.168.86.0/24, 192.168.87.1, 192.168.86.10, 192.168.86.20, 192.168.87.1 is not in spec.cidr",
    "192.168.86.0/24, 192.168.86.1, 192.168.86.10, 192.168.87.20, 192.168.87.20 is not in spec.cidr",
    "192.168.86.0/24, fd00::1,      192.168.86.10, 192.168.86.20, fd00::1 is not in spec.cidr",
    "192.168.86.0/24, 192.168.86.999, 192.168.86.10, 192.168.86.20, 192.168.86.999 is no address",
    "192.168.86/24,   192.168.86.1, 192.168.86.10, 192.168.86.20, 192.168.86/24 is no address",
    "192.168.86.0/24, 192.168.86.1, 192.168.86.20, 192.168.86.10, comes after"
  })
  void saysWhatContradictsItself(
      String cidr, String gateway, String start, String end, String problem) {
    String said =
        Lan.problem(spec(cidr, gateway, List.of("9.9.9.9"), new Pool(start, end))).orElse(null);
    if (problem == null) {
      assertThat(said).isNull();
    } else {
      assertThat(said).contains(problem);
    }
  }
}
