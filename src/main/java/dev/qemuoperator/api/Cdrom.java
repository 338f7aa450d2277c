package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** A CD-ROM drive, on the SATA bus. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Cdrom(
    @JsonPropertyDescription(
            "Name of the drive, and its serial number in the guest; no disk may have the same.")
        @Required
        @Size(max = 20)
        @Pattern("^[a-z]([-a-z0-9]*[a-z0-9])?$")
        String name,
    @JsonPropertyDescription(
            "The medium in the drive, an ISO image, which every guest reads from the node's cache. It"
                + " can be changed while the guest runs. Absent: the drive is empty.")
        Source source,
    @JsonPropertyDescription(
            "Place in the firmware's order of boot, lowest first; no two devices of a VM may have the"
                + " same. Default: after the disks.")
        @Min(1)
        @Max(100)
        Integer bootOrder) {

  /** Where the medium comes from. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "has(self.image) != has(self.http)",
      message = "a CD-ROM drive's source must be exactly one of: image, http")
  public record Source(
      @JsonPropertyDescription(
              "Name of a VirtualMachineImage of an ISO image; kubectl get qvmi lists them.")
          @Size(max = 253)
          @Pattern("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
          String image,
      Disk.Http http) {}
}
