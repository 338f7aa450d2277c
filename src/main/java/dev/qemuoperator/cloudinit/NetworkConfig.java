package dev.qemuoperator.cloudinit;

import dev.qemuoperator.cloudinit.Nic.FixedAddress;
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
   * Each card, found by its MAC address and named eth0, eth1 … in the order of the spec: with DHCP
   * or the address that it has been given. Further IPv6 addresses come by router advertisements,
   * which every renderer's default accepts.
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

  // The quotes: 52:54:00:12:34:56 without them is a number to YAML 1.1 (base 60).
  private static String ethernet(int index, Nic nic) {
    return """
      nic%1$d:
        match:
          macaddress: "%2$s"
        set-name: eth%1$d
    """
            .formatted(index, nic.macAddress().toLowerCase(Locale.ROOT))
        + nic.fixed().map(fixed -> fixed(index, fixed)).orElseGet(() -> dhcp(index));
  }

  /**
   * Only the first card has a way out and name servers: a second default route would make the
   * guest's answers leave where nobody waits for them.
   */
  private static String dhcp(int index) {
    String overrides =
        index == 0
            // cloud-init's schema wants it to be a string, and warns of anything else at each boot
            ? "      use-domains: \"true\"\n"
            : "      use-routes: false\n      use-dns: false\n";
    return "    dhcp4: true\n    dhcp4-overrides:\n" + overrides;
  }

  private static String fixed(int index, FixedAddress fixed) {
    StringBuilder yaml = new StringBuilder("    addresses: [\"%s\"]\n".formatted(fixed.cidr()));
    if (index == 0) {
      fixed
          .gateway()
          .ifPresent(
              gateway ->
                  yaml.append(
                      "    routes: [{to: \"%s\", via: \"%s\"}]\n"
                          // not "default", which cloud-init does not know everywhere
                          .formatted(gateway.contains(":") ? "::/0" : "0.0.0.0/0", gateway)));
      if (!fixed.dns().isEmpty() || !fixed.searchDomains().isEmpty()) {
        yaml.append("    nameservers:\n");
        yaml.append("      addresses: [%s]\n".formatted(quoted(fixed.dns())));
        yaml.append("      search: [%s]\n".formatted(quoted(fixed.searchDomains())));
      }
    }
    return yaml.toString();
  }

  private static String quoted(List<String> words) {
    return words.stream().map(word -> '"' + word + '"').collect(Collectors.joining(", "));
  }
}
