package dev.qemuoperator.cloudinit;

import java.util.List;
import java.util.Optional;

/**
 * A network card; {@code macAddress} as {@code 52:54:00:12:34:56}.
 *
 * @param fixed empty: the guest asks by DHCP
 */
public record Nic(String name, String macAddress, Optional<FixedAddress> fixed) {

  /**
   * An address that is not from DHCP, and what DHCP would have told with it.
   *
   * @param cidr the address with the length of its network's prefix, {@code 192.168.86.53/24}
   */
  public record FixedAddress(
      String cidr, Optional<String> gateway, List<String> dns, List<String> searchDomains) {
    public FixedAddress {
      dns = List.copyOf(dns);
      searchDomains = List.copyOf(searchDomains);
    }
  }
}
