package dev.qemuoperator.machine;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/**
 * What the chart sets, as environment variables such as {@code QEMU_OPERATOR_RUNNER_IMAGE}, or a
 * developer as system properties.
 */
@ConfigMapping(prefix = "qemu-operator")
public interface OperatorSettings {

  /** Namespace of the operator: its lease and its certificate authority's Secret are there. */
  String namespace();

  /** Container image of the VM pods. */
  String runnerImage();

  /** Directory of each node that holds base images. */
  @WithDefault("/var/lib/qemu-operator/cache")
  String cacheDirectory();

  /** After how many days without use a base image is removed from it; 0: never. */
  @WithDefault("30")
  int cacheUnusedDays();

  /** Above how many MiB the longest unused are removed from it; 0: there is no limit. */
  @WithDefault("0")
  int cacheMebibytes();

  /** How fast the base image of a disk is copied into it while the guest runs, MiB a second. */
  @WithDefault("64")
  int copyMebibytesPerSecond();

  /** StorageClass of disks with the storage nodeLocal. */
  @WithDefault("qemu-operator-node-local")
  String nodeLocalStorageClass();

  /** How QEMU's monitors are reached. */
  @WithDefault("pod-address")
  Dial dial();

  /** Name of this replica, in events and in the lease. */
  @WithDefault("qemu-operator")
  String instance();

  /** Ways to a pod. */
  enum Dial {
    /** Directly; the operator runs in the cluster. */
    POD_ADDRESS,
    /** Through the API server; the operator runs on a developer's machine. */
    PORT_FORWARD
  }
}
