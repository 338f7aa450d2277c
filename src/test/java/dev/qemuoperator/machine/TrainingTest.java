package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TrainingTest {

  private static final Path OBJECTS = Path.of("images", "operator", "training", "objects.json");

  /** No API server fills them in there, and a pass would fail, minutes into the image's build. */
  @Test
  void vmOfTheImagesTrainingHasAllDefaults() throws IOException {
    JsonMapper json = new JsonMapper();
    JsonNode vm =
        json.readTree(OBJECTS.toFile())
            .path("/apis/qemu-operator.dev/v1alpha1/namespaces/vms/virtualmachines/vm");
    JsonNode defaulted =
        json.readTree(Serialization.asJson(ApiServerDefaults.virtualMachine(vm.toString())));
    assertThat(vm.path("spec"))
        .as("spec of the VM in %s, with the API server's defaults", OBJECTS)
        .isEqualTo(defaulted.path("spec"));
  }
}
