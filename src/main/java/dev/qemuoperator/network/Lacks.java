package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeNetworkSpec;
import dev.qemuoperator.qmp.EventLog;
import java.util.Optional;

/**
 * What a node lacks to have VMs on a LAN.
 *
 * @param state see status.nodes
 * @param message that, and what to do
 */
record Lacks(String state, String message) {

  static final String BRIDGE_MISSING = "BridgeMissing";
  static final String BRIDGE_DOWN = "BridgeDown";
  static final String MTU_MISMATCH = "MTUMismatch";
  static final String WIRELESS_UPLINK = "WirelessUplink";

  /** Not known, and what keeps it from being. */
  static final String LOOK_FAILED = "LookFailed";

  /** Empty: nothing. */
  static Optional<Lacks> of(BridgeNetworkSpec spec, EventLog.Bridge bridge) {
    if (!bridge.exists()) {
      return Optional.of(
          new Lacks(
              BRIDGE_MISSING,
              "It has no bridge %s%s. Make one there in what configures its network (netplan, systemd-networkd, NetworkManager, ifupdown), with the LAN's network card as its port and the node's address moved from that to the bridge."
                  .formatted(
                      spec.bridge(),
                      bridge.others().isEmpty()
                          ? ""
                          : ", but " + String.join(", ", bridge.others()))));
    }
    if (!bridge.isUp()) {
      return Optional.of(
          new Lacks(
              BRIDGE_DOWN,
              "Its bridge %1$s is down: ip link set %1$s up.".formatted(spec.bridge())));
    }
    if (spec.mtu() != null && spec.mtu() > bridge.mtu()) {
      return Optional.of(
          new Lacks(
              MTU_MISMATCH,
              "The MTU of its bridge %s is %d, which is less than spec.mtu: lower that to %2$d, or raise that of the bridge, its ports and the LAN."
                  .formatted(spec.bridge(), bridge.mtu())));
    }
    return bridge
        .wireless()
        .map(
            card ->
                new Lacks(
                    WIRELESS_UPLINK,
                    "Its bridge %s has neither a network card as its port nor an address, and its way out, %s, is wireless: an access point takes frames of one MAC address only, so such a card cannot be a bridge's port. Connect the node by cable, or give the bridge an address and route."
                        .formatted(spec.bridge(), card)));
  }
}
