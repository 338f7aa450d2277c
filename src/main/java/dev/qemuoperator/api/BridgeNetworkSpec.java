package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/** Where the LAN is, and how its hosts are set up. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record BridgeNetworkSpec(
    @JsonPropertyDescription(
            "The Linux bridge that connects a node to the LAN, such as br0. The node's administrator makes"
                + " it; the operator never does.")
        @Required
        @Size(max = 15)
        @Pattern("^[A-Za-z0-9][A-Za-z0-9._-]*$")
        String bridge,
    @JsonPropertyDescription("The addresses of the LAN, such as 192.168.86.0/24 or fd00:86::/64.")
        @Required
        @Size(max = 43)
        @Pattern("^[0-9A-Fa-f:.]+/[0-9]{1,3}$")
        String cidr,
    @JsonPropertyDescription("The guests' way out of the LAN. Default: none.")
        @Size(max = 39)
        @Pattern(Network.ADDRESS)
        String gateway,
    @JsonPropertyDescription(
            "Addresses of name servers, for guests whose address is not from DHCP.")
        @Size(max = 3)
        List<@Size(max = 39) @Pattern(Network.ADDRESS) String> dns,
    @JsonPropertyDescription(
            "Domains in which guests look up short names, for guests whose address is not from DHCP.")
        @Size(max = 6)
        List<
                @Size(max = 253)
                @Pattern(
                    "^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$")
                String>
            searchDomains,
    @JsonPropertyDescription(
            "Largest packet of the guests in bytes; not above the bridge's own. Default: what guests take by"
                + " themselves, 1500.")
        @Min(576)
        @Max(65535)
        Integer mtu,
    @JsonPropertyDescription(
            "VLAN id of the guests' frames on the bridge. They themselves know nothing of it. Default: none.")
        @Min(1)
        @Max(4094)
        Integer vlan,
    @JsonPropertyDescription(
            "The addresses that the operator gives to VMs that ask for none: they must be left out of the"
                + " LAN's own DHCP range. Default: none are given.")
        Pool pool,
    @JsonPropertyDescription("The namespaces whose VMs may be on it. Default: all.") @Size(max = 64)
        List<@Size(max = 63) @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$") String>
            allowedNamespaces) {

  /** Whether VMs of a namespace may be on it. */
  public boolean allows(String namespace) {
    return allowedNamespaces == null
        || allowedNamespaces.isEmpty()
        || allowedNamespaces.contains(namespace);
  }

  /** The first and the last address. */
  public record Pool(
      @Required @Size(max = 39) @Pattern(Network.ADDRESS) String start,
      @Required @Size(max = 39) @Pattern(Network.ADDRESS) String end) {}
}
