package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/** Who may log in by SSH. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Ssh(
    @JsonPropertyDescription(
            "Public keys, one line each as in authorized_keys, for the image's default user.")
        @Size(max = 64)
        List<
                @Size(max = 4096)
                @Pattern("^(ssh-|ecdsa-|sk-)[A-Za-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\\r\\n]*)?$") String>
            authorizedKeys) {}
