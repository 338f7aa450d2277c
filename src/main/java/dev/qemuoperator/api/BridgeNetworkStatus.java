package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/** Who is on the LAN; times are RFC 3339. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record BridgeNetworkStatus(
    @JsonPropertyDescription("metadata.generation that this status speaks of.")
        Long observedGeneration,
    List<Condition> conditions,
    @JsonPropertyDescription("Which nodes have the bridge; VMs on this LAN run there alone.")
        List<Node> nodes,
    @JsonPropertyDescription("How many addresses VMs have.") Integer used,
    @JsonPropertyDescription("How many addresses of the pool nobody has; absent without a pool.")
        Integer free,
    @JsonPropertyDescription(
            "Who has which address. It is kept as long as the VM, or its pod, is there: no two VMs can ever"
                + " have the same one.")
        List<Lease> addresses,
    @JsonPropertyDescription("Who has not got one, and why.") List<Conflict> conflicts) {

  /** The state of a node that VMs on this LAN can run on. */
  public static final String READY = "Ready";

  /** The state of a node that is not known yet. */
  public static final String LOOKING = "Looking";

  /** A node of the cluster. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Node(
      String name,
      @JsonPropertyDescription(
              "Ready; why it cannot be used: BridgeMissing, BridgeDown, MTUMismatch, WirelessUplink; or"
                  + " Looking, LookFailed while that is not known.")
          String state,
      @JsonPropertyDescription("That, and what to do; absent: nothing.") String message) {}

  /** The address of a network card. */
  public record Lease(
      String address,
      String namespace,
      String virtualMachine,
      @JsonPropertyDescription(
              "metadata.uid of the VirtualMachine; empty: only a pod still has the address, and the VM's next"
                  + " one does not get it.")
          String uid,
      @JsonPropertyDescription("Name of the card in the VM's spec.networks.") String network) {}

  /** A network card without an address. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Conflict(
      String namespace,
      String virtualMachine,
      @JsonPropertyDescription("metadata.uid of the VirtualMachine.") String uid,
      @JsonPropertyDescription("Name of the card in the VM's spec.networks.") String network,
      @JsonPropertyDescription("The address that it asks for; absent: any of the pool.")
          String address,
      @JsonPropertyDescription("As in the VM's condition NetworkReady.") String reason,
      @JsonPropertyDescription("That, and what to do.") String message) {}
}
