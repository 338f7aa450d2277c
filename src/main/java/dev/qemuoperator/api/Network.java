package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** A network card and what it is connected to. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "has(self.pod)",
    message = "a network must be connected to exactly one of: pod")
public record Network(
    @Required @Size(max = 20) @Pattern("^[a-z]([-a-z0-9]*[a-z0-9])?$") String name,
    @JsonPropertyDescription(
            "NAT behind the pod's address. Every TCP and UDP port of that address leads to the guest"
                + " but 4444, 7000-7004 and 10809, which belong to QEMU.")
        Pod pod,
    @JsonPropertyDescription(
            "Unicast MAC address, such as 52:54:00:12:34:56. Default: one made from the VM's uid and"
                + " the network's name, see status.networks.")
        @Size(max = 17)
        @Pattern("^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$")
        String macAddress) {

  /** The pod network. */
  public record Pod() {}
}
