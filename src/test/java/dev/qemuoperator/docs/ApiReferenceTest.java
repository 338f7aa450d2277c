package dev.qemuoperator.docs;

import dev.qemuoperator.Golden;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The reference pages are what the CRDs and the documented conditions say. */
class ApiReferenceTest {

  @ParameterizedTest
  @CsvSource({
    "api.md, virtualmachines, Conditions",
    "api-images.md, virtualmachineimages, ImageConditions",
    "api-host-path-roots.md, hostpathroots,",
    "api-bridge-networks.md, bridgenetworks, BridgeConditions"
  })
  void committedReferenceIsTheGeneratedOne(String page, String plural, String conditions)
      throws IOException {
    var crd =
        Serialization.unmarshal(
            Files.readString(Path.of("crds", plural + ".qemu-operator.dev.yaml")),
            CustomResourceDefinition.class);
    String reference =
        conditions == null
            ? ApiReference.of(crd)
            : ApiReference.of(crd, documented(conditions), source(conditions));

    Golden.assertMatches(Path.of("docs", page), reference);
  }

  private static String source(String conditions) {
    return "api/" + conditions + ".java";
  }

  private static DocumentedConditions documented(String conditions) throws IOException {
    return DocumentedConditions.parse(
        Files.readString(Path.of("src/main/java/dev/qemuoperator", source(conditions))));
  }
}
