package dev.qemuoperator.pod;

/**
 * What the installation decides about every VM pod.
 *
 * @param runnerImage container image with QEMU and the wrapper
 * @param cacheDirectory directory of each node that holds base images
 */
public record PodSettings(String runnerImage, String cacheDirectory) {}
