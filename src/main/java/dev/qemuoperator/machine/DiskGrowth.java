package dev.qemuoperator.machine;

import dev.qemuoperator.api.Disk;
import dev.qemuoperator.qemu.DiskSize;
import dev.qemuoperator.qmp.DiskImage;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimCondition;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimStatus;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A disk of a running guest that is smaller than its spec says. What it has is read from QEMU each
 * time, never remembered.
 *
 * @param obstacle why it is not grown now; empty if it can be
 */
record DiskGrowth(Disk disk, DiskSize has, DiskSize wants, Optional<Obstacle> obstacle) {

  static final String CLAIM_EXPANDING = "ClaimExpanding";
  static final String COPYING = "CopyingBaseImage";
  static final String CLAIM_REFUSED = "ClaimRefused";
  static final String CLAIM_FAILED = "ClaimExpansionFailed";

  /** Reasons for which somebody may have to act. */
  static final Set<String> PROBLEMS = Set.of(CLAIM_REFUSED, CLAIM_FAILED, Obstacle.QEMU_REFUSED);

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

  /**
   * What the volumes of disks hold, where that is less than the spec's size. A disk that were
   * larger would pause its guest once it has filled the volume, and nothing but a larger volume
   * would help.
   */
  static Map<String, DiskSize> room(MachineInputs in) {
    Map<String, DiskSize> room = new TreeMap<>();
    for (Disk disk : in.spec().disks()) {
      tooSmall(in, disk)
          .ifPresent(claim -> room.put(disk.name(), DiskSize.within(capacity(claim))));
    }
    return room;
  }

  private static Optional<PersistentVolumeClaim> tooSmall(MachineInputs in, Disk disk) {
    return BaseImages.claim(in, disk)
        .filter(claim -> disk.size() != null)
        .filter(
            claim ->
                capacity(claim).getNumericalAmount().compareTo(disk.size().getNumericalAmount())
                    < 0);
  }

  /** Of one that is not bound: what it will have at least. */
  private static Quantity capacity(PersistentVolumeClaim claim) {
    return Optional.ofNullable(claim.getStatus())
        .map(PersistentVolumeClaimStatus::getCapacity)
        .map(capacity -> capacity.get("storage"))
        .orElseGet(() -> claim.getSpec().getResources().getRequests().get("storage"));
  }

  private static Optional<Obstacle> obstacle(
      MachineInputs in, Disk disk, DiskImage image, Map<String, String> refusedClaims) {
    Optional<PersistentVolumeClaim> claim = tooSmall(in, disk);
    if (claim.isPresent()) {
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
            .formatted(name, capacity(claim), how));
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
