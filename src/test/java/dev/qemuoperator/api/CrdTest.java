package dev.qemuoperator.api;

import dev.qemuoperator.Golden;
import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.client.CustomResource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The committed CRDs are those that the records make. */
class CrdTest {

  @ParameterizedTest
  @ValueSource(
      classes = {
        VirtualMachine.class,
        VirtualMachineImage.class,
        HostPathRoot.class,
        BridgeNetwork.class
      })
  void committedCrdIsTheGeneratedOne(
      Class<? extends CustomResource<?, ?>> kind, @TempDir Path directory) throws IOException {
    new CRDGenerator()
        .customResourceClasses(kind)
        .withPostProcessor(new CrdPostProcessor())
        .forCRDVersions("v1")
        .inOutputDir(directory.toFile())
        .detailedGenerate();

    String name = CustomResource.getCRDName(kind);
    String generated = Files.readString(directory.resolve(name + "-v1.yml"));
    Golden.assertMatches(Path.of("crds", name + ".yaml"), generated);
  }
}
