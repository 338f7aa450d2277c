/** BridgeNetworks: who has which address of a LAN. */
package dev.qemuoperator.network;
