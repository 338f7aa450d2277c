/** BridgeNetworks: who has which address of a LAN, and which nodes have its bridge. */
package dev.qemuoperator.network;
