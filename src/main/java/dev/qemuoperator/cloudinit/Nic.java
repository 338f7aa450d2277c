package dev.qemuoperator.cloudinit;

/** A network card; {@code macAddress} as {@code 52:54:00:12:34:56}. */
public record Nic(String name, String macAddress) {}
