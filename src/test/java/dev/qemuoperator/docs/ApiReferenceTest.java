package dev.qemuoperator.docs;

import dev.qemuoperator.Golden;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** docs/api.md is what the CRD and the documented conditions say. */
class ApiReferenceTest {

  @Test
  void committedReferenceIsTheGeneratedOne() throws IOException {
    var crd =
        Serialization.unmarshal(
            Files.readString(Path.of("crds", "virtualmachines.qemu-operator.dev.yaml")),
            CustomResourceDefinition.class);
    var conditions =
        DocumentedConditions.parse(
            Files.readString(Path.of("src/main/java/dev/qemuoperator/api/Conditions.java")));

    Golden.assertMatches(Path.of("docs", "api.md"), ApiReference.of(crd, conditions));
  }
}
