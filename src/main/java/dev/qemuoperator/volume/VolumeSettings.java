package dev.qemuoperator.volume;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/**
 * What the chart sets for disks with the storage nodeLocal, as environment variables such as {@code
 * QEMU_OPERATOR_NODE_LOCAL_DIRECTORY}.
 */
@ConfigMapping(prefix = "qemu-operator.node-local")
public interface VolumeSettings {

  /** Whether this operator makes the volumes; one of a cluster does. */
  @WithDefault("true")
  boolean enabled();

  /** Directory of each node in which each volume has one of its own. */
  @WithDefault("/var/lib/qemu-operator/disks")
  String directory();
}
