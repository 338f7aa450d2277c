package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/** What an image's sources have given; times are RFC 3339. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record VirtualMachineImageStatus(
    @JsonPropertyDescription("metadata.generation that this status speaks of.")
        Long observedGeneration,
    List<Condition> conditions,
    @JsonPropertyDescription(
            "What new disks are made from, sha256:… or sha512:… of the file as it is published. It stays"
                + " until the spec changes or a refresh is asked for.")
        String digest,
    @JsonPropertyDescription(
            "The source that serves it: a URL, a container image, or HostPathRoot/NAME:PATH where nodes have"
                + " that file.")
        String source,
    @JsonPropertyDescription("When the sources were looked up.") String resolvedAt,
    @JsonPropertyDescription(
            "The value of qemu-operator.dev/refresh-requested-at that was acted on last.")
        String refreshRequestedAt,
    @JsonPropertyDescription("How many VirtualMachines name it in a disk's source.image.")
        Integer virtualMachines,
    @JsonPropertyDescription(
            "The nodes of spec.prePull, and those on which VirtualMachines of it run.")
        List<Node> nodes) {

  /** An image in the cache of a node. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Node(
      String name,
      @JsonPropertyDescription(
              "Present, Fetching, Pending (other nodes come first) or Failed (it is tried again).")
          String state,
      @JsonPropertyDescription("How much of it has come, such as 40 %, 20480 KiB/s.")
          String progress,
      @JsonPropertyDescription("Why it has failed, and what to do.") String message,
      @JsonPropertyDescription(
              "The source that served it there, as far as is known: the node may have had it before.")
          String source) {}
}
