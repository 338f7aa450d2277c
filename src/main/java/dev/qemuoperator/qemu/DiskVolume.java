package dev.qemuoperator.qemu;

import java.util.Optional;

/**
 * The volume of a disk on a PersistentVolumeClaim.
 *
 * @param claim name of the claim
 * @param block whether the disk is the volume itself, as opposed to a file on it
 * @param made whether a disk has been made on it before, which must be there then
 * @param room what a disk on it can be at most, where that is less than the spec's size
 */
public record DiskVolume(String claim, boolean block, boolean made, Optional<DiskSize> room) {}
