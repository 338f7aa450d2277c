package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.pod.VmObjects.DiskNotes;
import dev.qemuoperator.qemu.DiskSize;
import dev.qemuoperator.qemu.DiskVolume;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimStatus;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The claims of disks as they are: what a spec asks for matters only until a claim is made. */
final class Volumes {

  private static final String BLOCK = Disk.VolumeMode.BLOCK.word();

  private Volumes() {}

  /** Of all disks on claims, by disk. */
  static Map<String, DiskVolume> of(MachineInputs in) {
    Map<String, DiskVolume> volumes = new TreeMap<>();
    for (Disk disk : in.spec().disks()) {
      if (disk.storage().isClaimed()) {
        volumes.put(
            disk.name(),
            new DiskVolume(
                in.identity().claimOf(disk),
                isBlock(in, disk),
                claim(in, disk).filter(claim -> DiskNotes.on(claim).made()).isPresent(),
                claimTooSmall(in, disk).map(claim -> room(claim))));
      }
    }
    return volumes;
  }

  static Optional<PersistentVolumeClaim> claim(MachineInputs in, Disk disk) {
    return Optional.of(disk)
        .filter(some -> some.storage().isClaimed())
        .flatMap(some -> Optional.ofNullable(in.claims().get(in.identity().claimOf(some))));
  }

  private static boolean isBlock(MachineInputs in, Disk disk) {
    return claim(in, disk)
        .map(Volumes::isBlock)
        .orElseGet(
            () ->
                disk.storage().claim() != null
                    && disk.storage().claim().volumeMode() == Disk.VolumeMode.BLOCK);
  }

  static boolean isBlock(PersistentVolumeClaim claim) {
    return BLOCK.equals(claim.getSpec().getVolumeMode());
  }

  /**
   * The claim of a disk, if a disk of the spec's size would be larger than it. Such a disk would
   * pause its guest once it has filled the volume, and nothing but a larger volume would help.
   */
  static Optional<PersistentVolumeClaim> claimTooSmall(MachineInputs in, Disk disk) {
    return claim(in, disk)
        .filter(claim -> disk.size() != null)
        .filter(claim -> !holds(claim, disk.size()));
  }

  /** A file of a size that is no whole number of sectors is rounded up, which its volume bears. */
  private static boolean holds(PersistentVolumeClaim claim, Quantity size) {
    return isBlock(claim)
        ? room(claim).compareTo(DiskSize.of(size)) >= 0
        : capacity(claim).getNumericalAmount().compareTo(size.getNumericalAmount()) >= 0;
  }

  private static DiskSize room(PersistentVolumeClaim claim) {
    return isBlock(claim) ? DiskSize.onDevice(capacity(claim)) : DiskSize.within(capacity(claim));
  }

  /** Of one that is not bound: what it will have at least. */
  static Quantity capacity(PersistentVolumeClaim claim) {
    return Optional.ofNullable(claim.getStatus())
        .map(PersistentVolumeClaimStatus::getCapacity)
        .map(capacity -> capacity.get("storage"))
        .orElseGet(() -> claim.getSpec().getResources().getRequests().get("storage"));
  }

  /** Why no pod can be made for the disks' claims yet. */
  static Optional<Verdict> awaited(MachineInputs in) {
    return in.spec().disks().stream()
        .flatMap(disk -> missing(in, disk).or(() -> inUse(in, disk)).stream())
        .findFirst();
  }

  /**
   * Disks that were not found where they had been made, and that may be made again: somebody has
   * taken the note of them away.
   */
  static boolean areGivenUp(MachineInputs in) {
    List<String> lost = BaseImages.failed(in, "DiskLost");
    return in.spec().disks().stream()
        .filter(disk -> lost.contains(disk.name()))
        .flatMap(disk -> claim(in, disk).stream())
        .anyMatch(claim -> !DiskNotes.on(claim).made());
  }

  private static Optional<Verdict> missing(MachineInputs in, Disk disk) {
    return disk.storage()
        .existing()
        .filter(name -> !in.claims().containsKey(name))
        .map(
            name ->
                Verdict.no(
                    DisksReady.CLAIM_NOT_FOUND,
                    ("Disk %s: there is no PersistentVolumeClaim/%s in namespace %s. Create it, or leave"
                            + " storage.claim.existing away to have one made.")
                        .formatted(disk.name(), name, in.identity().namespace())));
  }

  private static Optional<Verdict> inUse(MachineInputs in, Disk disk) {
    String name = disk.storage().isClaimed() ? in.identity().claimOf(disk) : "";
    return Optional.ofNullable(in.claimUsers().get(name))
        .map(
            user ->
                Verdict.no(
                    DisksReady.CLAIM_IN_USE,
                    ("Disk %s: PersistentVolumeClaim/%s is in use by VirtualMachine/%s, and two guests"
                            + " would destroy each other's data. This one follows when that one is Halted"
                            + " or deleted.")
                        .formatted(disk.name(), name, user)));
  }
}
