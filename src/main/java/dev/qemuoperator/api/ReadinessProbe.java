package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.ValidationRule;

/** When the guest counts as ready. Without one, running is ready. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "[has(self.tcpSocket), has(self.cloudInit)].filter(x, x).size() == 1",
    message = "a readinessProbe must be exactly one of: tcpSocket, cloudInit")
@ValidationRule(
    value = "!has(self.cloudInit) || !has(self.initialDelaySeconds)",
    message = "initialDelaySeconds is for tcpSocket: cloud-init itself reports its end")
public record ReadinessProbe(
    @JsonPropertyDescription("The kubelet probes a TCP port of the guest.") TcpSocket tcpSocket,
    @JsonPropertyDescription(
            "Ready once cloud-init has ended in this boot, as the guest reports, without an error; see"
                + " status.cloudInit. Needs spec.cloudInit or spec.ssh, and cloud-init in the guest.")
        CloudInitEnd cloudInit,
    @JsonPropertyDescription("Seconds from the start of the process to the first probe.")
        @Min(0)
        @Max(3600)
        Integer initialDelaySeconds,
    @JsonPropertyDescription("Seconds between probes.") @Default("2") @Min(1) @Max(3600)
        Integer periodSeconds,
    @JsonPropertyDescription("Seconds after which a probe has failed.")
        @Default("1")
        @Min(1)
        @Max(300)
        Integer timeoutSeconds,
    @JsonPropertyDescription("Failures in a row that make a ready guest unready.")
        @Default("3")
        @Min(1)
        @Max(100)
        Integer failureThreshold,
    @JsonPropertyDescription("Successes in a row that make it ready.")
        @Default("1")
        @Min(1)
        @Max(100)
        Integer successThreshold) {

  /** A TCP connection to the guest that must open. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "!(self.port in [4444, 7000, 7001, 7002, 7003, 7004, 10809])",
      message =
          "ports 4444, 7000-7004 and 10809 belong to QEMU: a probe of them says nothing of the"
              + " guest")
  public record TcpSocket(@Required @Min(1) @Max(65535) Integer port) {}

  /** The end of cloud-init. */
  public record CloudInitEnd() {}
}
