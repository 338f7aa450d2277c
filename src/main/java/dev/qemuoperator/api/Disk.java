package dev.qemuoperator.api;

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

/** A disk of the guest: what is on it at first, and where its writes go. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "!has(self.source.blank) || has(self.size)",
    message = "a blank disk needs a size, such as size: 10Gi")
@ValidationRule(
    value = "!has(self.storage) || !has(self.storage.claim) || has(self.size)",
    message = "a disk on a claim needs a size, such as size: 10Gi: the claim is made that large")
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
    @Required Source source,
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

  /** What is on the disk when it is made. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "[has(self.image), has(self.http), has(self.containerImage), has(self.blank)]"
              + ".filter(x, x).size() == 1",
      message = "a disk's source must be exactly one of: image, http, containerImage, blank")
  public record Source(
      @JsonPropertyDescription(
              "Name of a VirtualMachineImage, such as debian-13; kubectl get qvmi lists them.")
          @Size(max = 253)
          @Pattern("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
          String image,
      Http http,
      ContainerImage containerImage,
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

  /** An empty disk. */
  public record Blank() {}

  /** Where the disk's own data lives. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "[has(self.claim), has(self.ephemeral)].filter(x, x).size() == 1",
      message = "a disk's storage must be exactly one of: claim, ephemeral")
  public record Storage(Claim claim, Ephemeral ephemeral) {}

  /** A PersistentVolumeClaim named VM-DISK, made for this disk. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Claim(
      @JsonPropertyDescription("Default: the cluster's default StorageClass.") @Size(max = 253)
          String storageClassName,
      @JsonPropertyDescription("Default: [ReadWriteOnce].") @Size(min = 1, max = 4)
          List<AccessMode> accessModes) {}

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
