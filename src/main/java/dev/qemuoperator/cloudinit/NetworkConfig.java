package dev.qemuoperator.cloudinit;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Network configuration version 2:
 * https://cloudinit.readthedocs.io/en/latest/reference/network-config-format-v2.html.
 */
final class NetworkConfig {
  private NetworkConfig() {}

  /**
   * DHCP on each card, found by its MAC address and named eth0, eth1 … in the order of the spec.
   * IPv6 comes by router advertisements, which every renderer's default accepts.
   *
   * <p>Without cards it is an empty set and not {@code config: disabled}: cloud-init then still
   * overwrites what it rendered when the VM had a card, and the boot does not wait for that card.
   */
  static String of(List<Nic> nics) {
    if (nics.isEmpty()) {
      return "version: 2\nethernets: {}\n";
    }
    return IntStream.range(0, nics.size())
        .mapToObj(i -> ethernet(i, nics.get(i)))
        .collect(Collectors.joining("", "version: 2\nethernets:\n", ""));
  }

  // The quotes: 52:54:00:12:34:56 without them is a number to YAML 1.1 (base 60);
  // cloud-init's schema wants use-domains to be a string, and warns of anything else at each boot.
  private static String ethernet(int index, Nic nic) {
    return """
      nic%1$d:
        match:
          macaddress: "%2$s"
        set-name: eth%1$d
        dhcp4: true
        dhcp4-overrides:
          use-domains: "true"
    """
        .formatted(index, nic.macAddress().toLowerCase(Locale.ROOT));
  }
}
