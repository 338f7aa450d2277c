package dev.qemuoperator.qemu;

import java.util.Optional;

/**
 * The volume of a disk on a PersistentVolumeClaim.
 *
 * @param claim name of the claim
 * @param block whether the disk is the volume itself, as opposed to a file on it
 * @param room what a disk on it can be at most, where that is less than the spec's size
 */
public record DiskVolume(String claim, boolean block, Optional<DiskSize> room) {}
