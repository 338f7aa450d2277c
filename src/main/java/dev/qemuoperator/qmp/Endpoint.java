package dev.qemuoperator.qmp;

import java.util.Objects;

/**
 * Where the QEMU of one VM listens, and which QEMU that is.
 *
 * @param address the pod's IP address; null if there is none and the {@link Dialer} needs none
 * @param serverName the DNS name of QEMU's certificate, checked whatever address is dialed
 * @param incarnation identifies the run of the container (its container id): another incarnation is
 *     another QEMU, and nothing known of the old one holds for it
 */
public record Endpoint(
    String namespace, String pod, String address, String serverName, String incarnation) {
  public Endpoint {
    Objects.requireNonNull(namespace, "namespace");
    Objects.requireNonNull(pod, "pod");
    Objects.requireNonNull(serverName, "serverName");
    Objects.requireNonNull(incarnation, "incarnation");
  }
}
