package dev.qemuoperator.api;

import dev.qemuoperator.Golden;
import io.fabric8.crdv2.generator.CRDGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The committed CRDs are those that the records make. */
class CrdTest {

  @Test
  void committedCrdIsTheGeneratedOne(@TempDir Path directory) throws IOException {
    new CRDGenerator()
        .customResourceClasses(VirtualMachine.class)
        .withPostProcessor(new CrdPostProcessor())
        .forCRDVersions("v1")
        .inOutputDir(directory.toFile())
        .detailedGenerate();

    String name = "virtualmachines.qemu-operator.dev";
    String generated = Files.readString(directory.resolve(name + "-v1.yml"));
    Golden.assertMatches(Path.of("crds", name + ".yaml"), generated);
  }
}
