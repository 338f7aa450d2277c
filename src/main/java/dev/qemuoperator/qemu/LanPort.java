package dev.qemuoperator.qemu;

import java.util.Optional;

/**
 * Where a network card comes onto a LAN.
 *
 * @param bridge of the node
 * @param vlan id of its frames on the bridge
 * @param mtu bytes; empty: what the guest takes by itself
 * @param address that the operator has given to it, without a prefix length
 */
public record LanPort(
    String bridge, Optional<Integer> vlan, Optional<Integer> mtu, Optional<String> address) {}
