package dev.qemuoperator.pod;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The base images that no node may remove from its cache, however long they were not asked for.
 * What runs protects its own on its node; this is for the disks of VMs that are halted, which
 * nothing there knows of.
 */
public final class KeptBases {

  private KeptBases() {}

  /**
   * {@code sha256:…} of each base that a disk still reads from, and what is pinned of each image
   * that nodes are to have ahead of time.
   */
  public static SortedSet<String> of(
      Stream<VirtualMachine> machines, Stream<VirtualMachineImage> images) {
    SortedSet<String> kept = new TreeSet<>();
    machines
        .flatMap(vm -> Stream.ofNullable(vm.getStatus()))
        .flatMap(status -> status.disks().stream())
        .filter(disk -> disk.digest() != null && !Boolean.TRUE.equals(disk.selfContained()))
        .forEach(disk -> kept.add(disk.digest()));
    images
        .filter(image -> image.getSpec().prePull() != null)
        .flatMap(image -> Stream.ofNullable(image.getStatus()))
        .flatMap(status -> Stream.ofNullable(status.digest()))
        .forEach(kept::add);
    return kept;
  }
}
