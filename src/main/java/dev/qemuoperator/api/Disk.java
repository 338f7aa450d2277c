package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Optional;

/** A disk of the guest: what is on it at first, and where its writes go. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "!has(self.source.blank) || has(self.size)"
            + " || has(self.storage) && has(self.storage.claim) && has(self.storage.claim.existing)",
    message = "a blank disk needs a size, such as size: 10Gi")
@ValidationRule(
    value =
        "!has(self.storage) || has(self.storage.ephemeral) || has(self.size)"
            + " || (has(self.storage.claim) && has(self.storage.claim.existing))",
    message = "a disk on a claim needs a size, such as size: 10Gi: the claim is made that large")
@ValidationRule(
    value =
        "!has(self.storage) || !has(self.storage.claim) || !has(self.storage.claim.existing)"
            + " || !has(self.reclaimPolicy) || self.reclaimPolicy == 'Retain'",
    message =
        "an existing claim is not the VirtualMachine's to delete: leave reclaimPolicy away, or"
            + " Retain")
@ValidationRule(
    value =
        "!has(self.size) || (isQuantity(string(self.size))"
            + " && quantity(string(self.size)).compareTo(quantity('1Mi')) >= 0"
            + " && quantity(string(self.size)).compareTo(quantity('64Ti')) <= 0)",
    message = "a disk's size must be a quantity from 1Mi to 64Ti, such as 12Gi")
@ValidationRule(
    value =
        "!has(oldSelf.size) || (has(self.size) && isQuantity(string(self.size))"
            + " && isQuantity(string(oldSelf.size))"
            + " && quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0)",
    message = "a disk can only grow: its file system would lose its end")
@ValidationRule(
    value =
        "has(self.storage) == has(oldSelf.storage)"
            + " && (!has(self.storage) || self.storage == oldSelf.storage)",
    message =
        "storage of a disk cannot change, its data would stay behind: add a disk of another name"
            + " instead")
public record Disk(
    @JsonPropertyDescription("Name of the disk, and its serial number in the guest.")
        @Required
        @Size(max = 20)
        @Pattern("^[a-z]([-a-z0-9]*[a-z0-9])?$")
        String name,
    @JsonPropertyDescription(
            "Size as the guest sees it; it can only grow, and does so while the guest runs, a claim"
                + " first. Default: that of the source.")
        Quantity size,
    @JsonPropertyDescription(
            "What is on the disk when it is made; of a disk that is there already it changes nothing."
                + " Default: blank.")
        @Default("{\"blank\": {}}")
        Source source,
    @JsonPropertyDescription("Where the disk's own data lives. Default: a claim.")
        @Default("{\"claim\": {}}")
        Storage storage,
    @JsonPropertyDescription(
            "What becomes of the claim when the VirtualMachine is deleted. A VM of the same name"
                + " takes a retained claim up again.")
        @Default("Retain")
        ReclaimPolicy reclaimPolicy,
    @JsonPropertyDescription(
            "Of a disk on a claim: whether its base image is copied into it while the guest runs, after"
                + " which the volume needs no node's cache any more.")
        @Default("true")
        Boolean selfContained,
    @JsonPropertyDescription(
            "What connects the disk. Virtio is the fastest; SCSI (one virtio-scsi controller for all)"
                + " and SATA (6 devices with the CD-ROM drives) are for guests that lack its driver.")
        @Default("Virtio")
        Bus bus,
    @JsonPropertyDescription(
            "Place in the firmware's order of boot, lowest first; no two devices of a VM may have the"
                + " same. Default: after those that have one, in the order of the list.")
        @Min(1)
        @Max(100)
        Integer bootOrder) {

  /** Of plain characters, and without {@code ..}. */
  static final String RELATIVE_PATH =
      "^([.]?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*/)*[.]?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*$";

  /** What is on the disk when it is made. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "[has(self.image), has(self.http), has(self.containerImage), has(self.claim),"
              + " has(self.blank)].filter(x, x).size() == 1",
      message = "a disk's source must be exactly one of: image, http, containerImage, claim, blank")
  public record Source(
      @JsonPropertyDescription(
              "Name of a VirtualMachineImage, such as debian-13; kubectl get qvmi lists them.")
          @Size(max = 253)
          @Pattern("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
          String image,
      Http http,
      ContainerImage containerImage,
      ClaimFile claim,
      Blank blank) {}

  /**
   * An image behind a URL, perhaps compressed by xz, gzip or zstd; fetched once to each node that
   * needs it.
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Http(
      @JsonPropertyDescription("http:// or https:// URL of the image file.")
          @Required
          @Size(max = 2048)
          @Pattern("^https?://[A-Za-z0-9.\\[\\]:-]+/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*$")
          String url,
      @JsonPropertyDescription("sha256:<64 hex digits> or sha512:<128 hex digits> of the file.")
          @Required
          @Size(max = 135)
          @Pattern("^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")
          String checksum) {}

  /** A container image with the disk image at /disk/disk.qcow2. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record ContainerImage(
      @JsonPropertyDescription("Reference of the image, as in a Pod.")
          @Required
          @Size(max = 512)
          @Pattern("^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")
          String image) {}

  /**
   * An image file on the file system of a PersistentVolumeClaim of the VM's namespace, perhaps
   * compressed by xz, gzip or zstd.
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record ClaimFile(
      @JsonPropertyDescription("Name of the PersistentVolumeClaim.")
          @Required
          @Size(max = 253)
          @Pattern("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
          String name,
      @JsonPropertyDescription(
              "Of the file, from the volume's root, without a symbolic link on its way or at its end.")
          @Required
          @Size(max = 512)
          @Pattern(RELATIVE_PATH)
          String path,
      @JsonPropertyDescription("sha256:<64 hex digits> or sha512:<128 hex digits> of the file.")
          @Required
          @Size(max = 135)
          @Pattern("^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")
          String checksum) {}

  /** An empty disk. */
  public record Blank() {}

  /** Where the disk's own data lives. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "[has(self.claim), has(self.nodeLocal), has(self.ephemeral)].filter(x, x).size() == 1",
      message = "a disk's storage must be exactly one of: claim, nodeLocal, ephemeral")
  public record Storage(Claim claim, NodeLocal nodeLocal, Ephemeral ephemeral) {

    /** Whether the disk outlives its pods, on a PersistentVolumeClaim. */
    @JsonIgnore
    public boolean isClaimed() {
      return ephemeral == null;
    }

    /** The claim that somebody else has made for it. */
    @JsonIgnore
    public Optional<String> existing() {
      return Optional.ofNullable(claim).map(Claim::existing);
    }
  }

  /**
   * A PersistentVolumeClaim, made for this disk and named VM-DISK, unless it is an existing one.
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "!has(self.existing)"
              + " || !has(self.storageClassName) && !has(self.accessModes) && !has(self.volumeMode)",
      message =
          "an existing claim is taken as it is: leave storageClassName, accessModes and volumeMode"
              + " away")
  public record Claim(
      @JsonPropertyDescription("Default: the cluster's default StorageClass.") @Size(max = 253)
          String storageClassName,
      @JsonPropertyDescription("Default: [ReadWriteOnce].") @Size(min = 1, max = 4)
          List<AccessMode> accessModes,
      @JsonPropertyDescription(
              "Filesystem: the disk is a file on the volume; Block: the disk is the volume, which is"
                  + " made a little larger than the disk. Default: Filesystem.")
          VolumeMode volumeMode,
      @JsonPropertyDescription(
              "Name of a claim in the VirtualMachine's namespace, such as one that a deleted"
                  + " VirtualMachine has left. A disk that is on it already is used as it is. The claim"
                  + " stays its owner's: it is neither made, grown nor deleted here.")
          @Size(max = 253)
          @Pattern("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
          String existing) {}

  /** What a claim's volume is; as in a PersistentVolumeClaim. */
  public enum VolumeMode {
    @JsonProperty("Filesystem")
    FILESYSTEM("Filesystem"),
    @JsonProperty("Block")
    BLOCK("Block");

    private final String word;

    VolumeMode(String word) {
      this.word = word;
    }

    /** The value as users write it. */
    public String word() {
      return word;
    }
  }

  /**
   * A directory of the node to which the VM comes first, and where it stays; by a claim of the
   * chart's own StorageClass, so it needs no other storage in the cluster.
   */
  public record NodeLocal() {}

  /** How the claim's volume may be mounted; as in a PersistentVolumeClaim. */
  public enum AccessMode {
    @JsonProperty("ReadWriteOnce")
    READ_WRITE_ONCE("ReadWriteOnce"),
    @JsonProperty("ReadWriteOncePod")
    READ_WRITE_ONCE_POD("ReadWriteOncePod"),
    @JsonProperty("ReadWriteMany")
    READ_WRITE_MANY("ReadWriteMany");

    private final String word;

    AccessMode(String word) {
      this.word = word;
    }

    /** The value as users write it. */
    public String word() {
      return word;
    }
  }

  /** The data lives as long as the pod. */
  public record Ephemeral() {}

  /** What connects a disk to the machine. */
  public enum Bus {
    /** A virtio-blk device of its own. */
    @JsonProperty("Virtio")
    VIRTIO,
    /** A disk on the machine's virtio-scsi controller. */
    SCSI,
    /** A disk on the chipset's AHCI controller. */
    SATA
  }

  /** What becomes of a claim whose VM is deleted. */
  public enum ReclaimPolicy {
    @JsonProperty("Retain")
    RETAIN,
    @JsonProperty("Delete")
    DELETE
  }
}
