package dev.qemuoperator.network;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/**
 * What the chart sets for networks, as environment variables such as {@code
 * QEMU_OPERATOR_NETWORKS_MANAGE}.
 */
@ConfigMapping(prefix = "qemu-operator.networks")
public interface NetworkSettings {

  /** Whether this operator gives the addresses of the cluster's LANs; one of a cluster does. */
  @WithDefault("true")
  boolean manage();
}
