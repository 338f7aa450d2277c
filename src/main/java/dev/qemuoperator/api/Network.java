package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** A network card and what it is connected to. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "has(self.pod) != has(self.bridge)",
    message = "a network must be connected to exactly one of: pod, bridge")
public record Network(
    @Required @Size(max = 20) @Pattern("^[a-z]([-a-z0-9]*[a-z0-9])?$") String name,
    @JsonPropertyDescription(
            "NAT behind the pod's address. Every TCP and UDP port of that address leads to the guest"
                + " but 4444, 7000-7004 and 10809, which belong to QEMU.")
        Pod pod,
    @JsonPropertyDescription("A LAN, by a BridgeNetwork.") Bridge bridge,
    @JsonPropertyDescription(
            "Unicast MAC address, such as 52:54:00:12:34:56. Default: one made from the VM's uid and"
                + " the network's name, see status.networks.")
        @Size(max = 17)
        @Pattern("^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$")
        String macAddress) {

  /** What looks like an IPv4 or IPv6 address; whether it is one, only a parser tells. */
  static final String ADDRESS =
      "^([0-9]{1,3}([.][0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*(:[0-9]{1,3}([.][0-9]{1,3}){3})?)$";

  /** The pod network. */
  public record Pod() {}

  /** A LAN. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "!self.dhcp || !has(self.address)",
      message =
          "bridge.dhcp and bridge.address exclude each other: who asks the LAN gets its answer")
  public record Bridge(
      @JsonPropertyDescription("Name of the BridgeNetwork.")
          @Required
          @Size(max = 63)
          @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
          String network,
      @JsonPropertyDescription(
              "The guest's address on the LAN, such as 192.168.86.53; it must not be one of the LAN's DHCP"
                  + " range. Default: one of the BridgeNetwork's pool, which the VM keeps.")
          @Size(max = 39)
          @Pattern(ADDRESS)
          String address,
      @JsonPropertyDescription(
              "true: the guest asks the LAN's own DHCP server, and the operator gives it no address.")
          @Default("false")
          Boolean dhcp) {

    /** Whether the operator gives the address. */
    @JsonIgnore
    public boolean isLeased() {
      return !Boolean.TRUE.equals(dhcp);
    }
  }
}
