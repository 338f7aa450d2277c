package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import java.util.Map;

/** Where a base image comes from, and what it must be. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "!has(self.checksum) || !has(self.checksumUrl)",
    message = "give either checksum or checksumUrl")
@ValidationRule(
    value =
        "has(self.checksum) || has(self.checksumUrl)"
            + " || self.sources.all(s, !has(s.http) || has(s.http.checksumUrl))",
    message =
        "an http source needs a checksum, or the checksumUrl of the file that its project publishes"
            + " it in, such as SHA256SUMS")
@ValidationRule(
    value =
        "!has(self.checksum) || self.checksum.startsWith('sha256:')"
            + " || !self.sources.exists(s, has(s.containerImage))",
    message = "a containerImage source needs a checksum of sha256, if any: it has no other")
@ValidationRule(
    value = "has(self.checksum) || !self.sources.exists(s, has(s.hostPath))",
    message =
        "a hostPath source needs spec.checksum, such as sha256sum prints it: the operator does not see"
            + " the files of nodes")
@ValidationRule(
    value =
        "!self.sources.exists(s, has(s.hostPath)) || !self.sources.exists(s, has(s.containerImage))",
    message =
        "hostPath and containerImage cannot be sources of one image: a node without the file could not"
            + " go on to the container image; use an http source for that, or another"
            + " VirtualMachineImage")
public record VirtualMachineImageSpec(
    @JsonPropertyDescription(
            "In the order in which they are tried: the first that answers serves it. A node that cannot get"
                + " it from that one tries the others.")
        @Required
        @Size(min = 1, max = 8)
        List<Source> sources,
    @JsonPropertyDescription(
            "sha256:<64 hex digits> or sha512:<128 hex digits> of the file as it is published.")
        @Size(max = 135)
        @Pattern("^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")
        String checksum,
    @JsonPropertyDescription(
            "URL of a file of SHA-256 or SHA-512 sums with a line for the image's file, in the format"
                + " of sha256sum or of BSD. What it says at first use is pinned in the status.")
        @Size(max = 2048)
        @Pattern("^https?://[A-Za-z0-9.\\[\\]:-]+/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*$")
        String checksumUrl,
    @JsonPropertyDescription("Of the file, once uncompressed. Default: it is looked at.")
        Format format,
    @JsonPropertyDescription(
            "Nodes that fetch it before a VirtualMachine needs it there. Default: none.")
        PrePull prePull) {

  /** Which nodes fetch an image ahead of time. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record PrePull(
      @JsonPropertyDescription(
              "Labels that a node must have. Default: any node. One that is cordoned or tainted is"
                  + " left out.")
          Map<String, String> nodeSelector) {}

  /** One place that has the image. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "[has(self.hostPath), has(self.http), has(self.containerImage)].filter(x, x).size() == 1",
      message = "an image's source must be exactly one of: hostPath, http, containerImage")
  public record Source(HostPath hostPath, Http http, Disk.ContainerImage containerImage) {}

  /**
   * A file in a directory of the node that needs the image; it may be compressed by xz, gzip or
   * zstd.
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record HostPath(
      @JsonPropertyDescription(
              "Name of the HostPathRoot that the file is in; kubectl get hpr lists them.")
          @Required
          @Size(max = 253)
          @Pattern("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
          String root,
      @JsonPropertyDescription(
              "Of the file, below the root, without a symbolic link on its way or at its end.")
          @Required
          @Size(max = 512)
          @Pattern(Disk.RELATIVE_PATH)
          String path) {}

  /** A file behind a URL; it may be compressed by xz, gzip or zstd. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Http(
      @JsonPropertyDescription("http:// or https:// URL of the image file.")
          @Required
          @Size(max = 2048)
          @Pattern("^https?://[A-Za-z0-9.\\[\\]:-]+/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*$")
          String url,
      @JsonPropertyDescription(
              "URL of this source's own file of sums, where spec.checksumUrl is not to be asked.")
          @Size(max = 2048)
          @Pattern("^https?://[A-Za-z0-9.\\[\\]:-]+/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*$")
          String checksumUrl) {}

  /** QEMU's names. */
  public enum Format {
    @JsonProperty("qcow2")
    QCOW2("qcow2"),
    @JsonProperty("raw")
    RAW("raw"),
    @JsonProperty("vmdk")
    VMDK("vmdk"),
    @JsonProperty("vhdx")
    VHDX("vhdx");

    private final String word;

    Format(String word) {
      this.word = word;
    }

    /** The value as users write it. */
    public String word() {
      return word;
    }
  }
}
