package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;

/** The guest's memory. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Memory(
    @JsonPropertyDescription(
            "RAM of the guest, in whole MiB (a rest is rounded down). The pod requests and is limited"
                + " to this plus what QEMU itself needs, see status.resources.")
        @Default("1Gi")
        @ValidationRule(
            value =
                "isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('64Mi')) >= 0"
                    + " && quantity(string(self)).compareTo(quantity('4Ti')) <= 0",
            message = "memory.size must be a quantity from 64Mi to 4Ti, such as 512Mi or 2Gi")
        Quantity size) {}
