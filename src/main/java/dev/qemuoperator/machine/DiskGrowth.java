package dev.qemuoperator.machine;

import dev.qemuoperator.api.Disk;
import dev.qemuoperator.qemu.DiskSize;
import dev.qemuoperator.qmp.DiskImage;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A disk of a running guest that is smaller than its spec says. What it has is read from QEMU each
 * time, never remembered.
 *
 * @param obstacle why it is not grown now; empty if it can be
 */
record DiskGrowth(Disk disk, DiskSize has, DiskSize wants, Optional<Obstacle> obstacle) {

  static final String CLAIM_EXPANDING = "ClaimExpanding";
  static final String COPYING = "CopyingBaseImage";
  static final String CLAIM_TOO_SMALL = "ClaimTooSmall";
  static final String CLAIM_REFUSED = "ClaimRefused";
  static final String CLAIM_FAILED = "ClaimExpansionFailed";

  /** Reasons for which somebody may have to act. */
  static final Set<String> PROBLEMS =
      Set.of(CLAIM_TOO_SMALL, CLAIM_REFUSED, CLAIM_FAILED, Obstacle.QEMU_REFUSED);

  /**
   * @param refusedClaims what the API server had against a larger claim, by the claim's name
   */
  static List<DiskGrowth> of(MachineInputs in, Map<String, String> refusedClaims) {
    return in.spec().disks().stream()
        .flatMap(disk -> of(in, disk, refusedClaims).stream())
        .toList();
  }

  private static Optional<DiskGrowth> of(
      MachineInputs in, Disk disk, Map<String, String> refusedClaims) {
    Optional<DiskImage> image = BaseImages.opened(in, disk).filter(known -> disk.size() != null);
    if (image.isEmpty()) {
      return Optional.empty();
    }
    DiskSize has = new DiskSize(image.get().size());
    DiskSize wants = DiskSize.of(disk.size());
    return has.compareTo(wants) < 0
        ? Optional.of(
            new DiskGrowth(disk, has, wants, obstacle(in, disk, image.get(), refusedClaims)))
        : Optional.empty();
  }

  private static Optional<Obstacle> obstacle(
      MachineInputs in, Disk disk, DiskImage image, Map<String, String> refusedClaims) {
    Optional<PersistentVolumeClaim> claim = Volumes.claimTooSmall(in, disk);
    if (claim.isPresent()) {
      if (disk.storage().existing().isPresent()) {
        return Optional.of(tooSmall(claim.get(), disk));
      }
      return Optional.of(
          Optional.ofNullable(refusedClaims.get(claim.get().getMetadata().getName()))
              .map(why -> refused(claim.get(), why))
              .orElseGet(() -> expanding(claim.get())));
    }
    if (image.copied() != null) {
      return Optional.of(
          new Obstacle(
              COPYING,
              "Waits until the base image has been copied into the disk, during which QEMU grows none."));
    }
    return Optional.ofNullable(image.refusal()).map(Obstacle::refusedByQemu);
  }

  private static Obstacle tooSmall(PersistentVolumeClaim claim, Disk disk) {
    String name = claim.getMetadata().getName();
    Quantity needed = Volumes.isBlock(claim) ? DiskSize.of(disk.size()).device() : disk.size();
    return new Obstacle(
        CLAIM_TOO_SMALL,
        ("A disk grows no further than its volume, and PersistentVolumeClaim/%s, which has %s, is not"
                + " the VirtualMachine's to change. To have it expanded: kubectl patch pvc %s -p"
                + " '{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"%s\"}}}}'")
            .formatted(name, Volumes.capacity(claim), name, needed));
  }

  private static Obstacle refused(PersistentVolumeClaim claim, String why) {
    return new Obstacle(
        CLAIM_REFUSED,
        "PersistentVolumeClaim/%s cannot grow, and a disk grows no further than its volume: %s. %s"
                .formatted(
                    claim.getMetadata().getName(),
                    why,
                    why.contains("storageclass")
                        ? "If the volumes of StorageClass %s can grow, set its allowVolumeExpansion to true; else add a disk of another name."
                            .formatted(claim.getSpec().getStorageClassName())
                        : "Remove the cause.")
            + " It is tried again every few minutes.");
  }

  /** Types of conditions are those of Kubernetes' storage controllers and the kubelet. */
  private static Obstacle expanding(PersistentVolumeClaim claim) {
    String name = claim.getMetadata().getName();
    for (String type : List.of("ControllerResizeError", "NodeResizeError")) {
      Optional<PersistentVolumeClaimCondition> failed = condition(claim, type);
      if (failed.isPresent()) {
        return new Obstacle(
            CLAIM_FAILED,
            "The volume of PersistentVolumeClaim/%s could not be expanded: %s"
                .formatted(name, failed.get().getMessage()));
      }
    }
    String how =
        condition(claim, "FileSystemResizePending").isPresent()
            ? "its volume has been expanded, and the node has yet to grow the file system on it."
            : condition(claim, "Resizing").isPresent()
                ? "its volume is being expanded."
                : "the expansion of its volume has not begun. If it stays so, see kubectl describe pvc %s."
                    .formatted(name);
    return new Obstacle(
        CLAIM_EXPANDING,
        "Waits for PersistentVolumeClaim/%s, which has %s: %s"
            .formatted(name, Volumes.capacity(claim), how));
  }

  private static Optional<PersistentVolumeClaimCondition> condition(
      PersistentVolumeClaim claim, String type) {
    return Optional.ofNullable(claim.getStatus()).stream()
        .flatMap(status -> status.getConditions().stream())
        .filter(condition -> condition.getType().equals(type))
        .filter(condition -> "True".equals(condition.getStatus()))
        .findFirst();
  }
}
