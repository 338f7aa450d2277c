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
import java.util.List;

/** When the guest counts as ready. Without one, running is ready. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "[has(self.tcpSocket), has(self.httpGet), has(self.cloudInit)].filter(x, x).size() == 1",
    message = "a readinessProbe must be exactly one of: tcpSocket, httpGet, cloudInit")
@ValidationRule(
    value = "!has(self.cloudInit) || !has(self.initialDelaySeconds)",
    message = "initialDelaySeconds is for tcpSocket and httpGet: cloud-init itself reports its end")
public record ReadinessProbe(
    @JsonPropertyDescription("The kubelet probes a TCP port of the guest.") TcpSocket tcpSocket,
    @JsonPropertyDescription(
            "The kubelet asks the guest's web server: any status from 200 to 399 is ready.")
        HttpGet httpGet,
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

  private static final String SAYS_NOTHING =
      "ports 4444, 7000-7004 and 10809 belong to QEMU: a probe of them says nothing of the guest";

  /** A TCP connection to the guest that must open. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(value = Port.IS_THE_GUESTS, message = ReadinessProbe.SAYS_NOTHING)
  public record TcpSocket(@Required @Min(1) @Max(65535) Integer port) {}

  /** An HTTP request that must succeed. A certificate of the guest is not checked. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(value = Port.IS_THE_GUESTS, message = ReadinessProbe.SAYS_NOTHING)
  public record HttpGet(
      @Required @Min(1) @Max(65535) Integer port,
      @Default("/") @Size(max = 1024) @Pattern("^/[!-~]*$") String path,
      @Default("HTTP") Scheme scheme,
      @JsonPropertyDescription("Headers of the request, such as Host for one of several sites.")
          @Size(max = 16)
          List<Header> httpHeaders) {

    /** How the web server is asked. */
    public enum Scheme {
      HTTP,
      HTTPS
    }

    /** A header. */
    public record Header(
        @Required @Size(max = 128) @Pattern("^[A-Za-z0-9-]+$") String name,
        @Required @Size(max = 1024) @Pattern("^[ -~]*$") String value) {}
  }

  /** The end of cloud-init. */
  public record CloudInitEnd() {}
}
