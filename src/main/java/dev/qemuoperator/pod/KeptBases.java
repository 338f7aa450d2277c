package dev.qemuoperator.pod;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineStatus;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The base images that no node may remove from its cache, however long they were not asked for.
 * What runs protects its own on its node; this is for what nothing there knows of: the disks of VMs
 * that are halted, and media that have been put into a drive while the guest ran.
 */
public final class KeptBases {

  private KeptBases() {}

  /**
   * {@code sha256:…} of each base that a disk still reads from and of each medium, and what is
   * pinned of each image that nodes are to have ahead of time.
   */
  public static SortedSet<String> of(
      Stream<VirtualMachine> machines, Stream<VirtualMachineImage> images) {
    SortedSet<String> kept = new TreeSet<>();
    machines
        .flatMap(vm -> Stream.ofNullable(vm.getStatus()))
        .flatMap(status -> Stream.concat(disks(status), media(status)))
        .forEach(kept::add);
    images
        .filter(image -> image.getSpec().prePull() != null)
        .flatMap(image -> Stream.ofNullable(image.getStatus()))
        .flatMap(status -> Stream.ofNullable(status.digest()))
        .forEach(kept::add);
    return kept;
  }

  private static Stream<String> disks(VirtualMachineStatus status) {
    return status.disks().stream()
        .filter(disk -> disk.digest() != null && !Boolean.TRUE.equals(disk.selfContained()))
        .map(VirtualMachineStatus.Disk::digest);
  }

  private static Stream<String> media(VirtualMachineStatus status) {
    return Stream.ofNullable(status.cdroms())
        .flatMap(List::stream)
        .flatMap(cdrom -> Stream.ofNullable(cdrom.digest()));
  }
}
