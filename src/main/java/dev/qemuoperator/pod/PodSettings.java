package dev.qemuoperator.pod;

/**
 * What the installation decides about every pod.
 *
 * @param runnerImage container image with QEMU and the wrapper
 * @param cacheDirectory directory of each node that holds base images
 * @param cacheLimits what is removed from it
 * @param nodeLocalStorageClass the StorageClass of disks with the storage nodeLocal
 */
public record PodSettings(
    String runnerImage,
    String cacheDirectory,
    CacheLimits cacheLimits,
    String nodeLocalStorageClass) {

  /**
   * What is removed from a node's cache before a base image is added to it.
   *
   * @param unusedDays what was not asked for in so many days; 0: that is no reason
   * @param mebibytes the longest unused beyond so much; 0: there is no limit
   */
  public record CacheLimits(int unusedDays, int mebibytes) {

    public static final CacheLimits NONE = new CacheLimits(0, 0);
  }
}
