package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;

/** The guest's processors. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Cpu(
    @JsonPropertyDescription("Number of virtual CPUs, all in one socket.")
        @Default("1")
        @Min(1)
        @Max(128)
        Integer cores,
    @JsonPropertyDescription(
            "A CPU model of QEMU (qemu-system-x86_64 -cpu help). host: the node's own under KVM, max"
                + " under TCG.")
        @Default("host")
        @Size(max = 64)
        @Pattern("^[A-Za-z0-9][A-Za-z0-9._-]*$")
        String model,
    @JsonPropertyDescription(
            "The most CPU time that the pod may use, in percent of one core (150: one and a half cores);"
                + " it becomes the pod's CPU limit. Default: no limit.")
        @Min(10)
        @Max(12800)
        Integer limitPercent) {}
