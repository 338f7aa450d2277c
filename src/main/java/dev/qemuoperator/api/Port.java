package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** A port of the guest that the VM's Service offers under the same number. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = Port.IS_THE_GUESTS,
    message = "ports 4444, 7000-7004 and 10809 belong to QEMU and never reach the guest")
public record Port(
    @Required @Size(max = 15) @Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$") String name,
    @Required @Min(1) @Max(65535) Integer port,
    @JsonPropertyDescription("TCP or UDP.") @Default("TCP") Protocol protocol,
    @JsonPropertyDescription(
            "Port of every node, with service.type NodePort or LoadBalancer; the cluster has a range for"
                + " them, as a rule 30000-32767. Default: one that Kubernetes chooses.")
        @Min(1)
        @Max(65535)
        Integer nodePort) {

  /** CEL: a port that is not QEMU's own. */
  static final String IS_THE_GUESTS = "!(self.port in [4444, 7000, 7001, 7002, 7003, 7004, 10809])";

  /** Transport protocol. */
  public enum Protocol {
    TCP,
    UDP
  }
}
