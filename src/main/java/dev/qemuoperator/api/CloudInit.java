package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;

/**
 * What cloud-init finds on the seed disk (datasource NoCloud). See
 * https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CloudInit(
    @JsonPropertyDescription(
            "Layers; a later one wins. Of cloud-config in user-data, maps are merged and lists"
                + " appended; of vendor-data, network-config and meta-data the last layer that has"
                + " them counts.")
        @Size(max = 16)
        List<Source> sources) {

  /** One layer. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "[has(self.configMapRef), has(self.secretRef), has(self.inline)].filter(x, x).size() == 1",
      message = "a cloudInit source must be exactly one of: configMapRef, secretRef, inline")
  public record Source(
      @JsonPropertyDescription(
              "A ConfigMap with keys user-data, vendor-data, network-config, meta-data (or userData"
                  + " …).")
          Reference configMapRef,
      @JsonPropertyDescription("A Secret with the same keys.") Reference secretRef,
      Inline inline) {}

  /** Name of an object in the VM's namespace. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Reference(
      @Required @Size(min = 1, max = 253) @Pattern("^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
          String name) {}

  /** A layer in the manifest itself. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "has(self.userData) || has(self.vendorData) || has(self.networkConfig)"
              + " || has(self.metaData)",
      message =
          "an inline source needs at least one of: userData, vendorData, networkConfig, metaData")
  public record Inline(
      @Size(max = 65536) String userData,
      @Size(max = 65536) String vendorData,
      @Size(max = 65536) String networkConfig,
      @Size(max = 65536) String metaData) {}
}
