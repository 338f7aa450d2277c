package dev.qemuoperator.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.qemuoperator.api.CloudInit;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.cloudinit.Guest;
import dev.qemuoperator.cloudinit.Layer;
import dev.qemuoperator.cloudinit.Nic;
import dev.qemuoperator.cloudinit.NoCloud;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every manifest of examples/ says what the API knows, and names nothing that it does not bring.
 */
class ExamplesTest {

  private static final Path EXAMPLES = Path.of("examples");
  private static final YAMLMapper YAML = new YAMLMapper();
  private static final ObjectReader STRICT =
      new JsonMapper()
          .readerFor(VirtualMachineSpec.class)
          .with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  static List<Path> examples() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void hasOneVirtualMachineThatIsNamedLikeItsFile(Path example) {
    assertThat(virtualMachines(example).map(vm -> vm.at("/metadata/name").asText()))
        .as("%s: people find the VM by the file's name", example)
        .containsExactly(example.getFileName().toString().replace(".yaml", ""));
  }

  @ParameterizedTest
  @MethodSource("examples")
  void hasOnlyFieldsAndValuesThatTheApiKnows(Path example) {
    virtualMachines(example).forEach(vm -> assertThat(spec(vm).disks()).isNotEmpty());
  }

  @ParameterizedTest
  @MethodSource("examples")
  void leavesTheNamespaceToTheUser(Path example) {
    assertThat(documents(example))
        .allSatisfy(
            document -> assertThat(document.at("/metadata/namespace").isMissingNode()).isTrue());
  }

  @ParameterizedTest
  @MethodSource("examples")
  void usesOnlyGuestsThatTheDemoLoads(Path example) throws IOException {
    String demo = Files.readString(Path.of("demo"));
    assertThat(
            virtualMachines(example)
                .flatMap(vm -> spec(vm).disks().stream())
                .filter(disk -> disk.source().containerImage() != null)
                .map(disk -> disk.source().containerImage().image()))
        .allSatisfy(
            image ->
                assertThat(demo)
                    .as("./demo gives its node no image %s: add it there", image)
                    .contains(image));
  }

  @ParameterizedTest
  @MethodSource("examples")
  void bringsCloudInitSourcesThatMakeASeed(Path example) {
    Map<String, JsonNode> objects = new HashMap<>();
    documents(example).forEach(document -> objects.put(origin(document), document));
    virtualMachines(example)
        .map(ExamplesTest::spec)
        .filter(spec -> spec.cloudInit() != null)
        .forEach(
            spec -> {
              List<Layer> layers =
                  Objects.requireNonNullElse(
                          spec.cloudInit().sources(), List.<CloudInit.Source>of())
                      .stream()
                      .map(source -> layer(example, source, objects))
                      .toList();
              assertThat(NoCloud.build(guest(), layers).findings()).as("%s", example).isEmpty();
            });
  }

  @Test
  void theReadmeListsEachOfThem() throws IOException {
    String readme = Files.readString(EXAMPLES.resolve("README.md"));
    assertThat(examples())
        .allSatisfy(
            example ->
                assertThat(readme)
                    .as("add %s to the table of examples/README.md", example)
                    .contains("[" + example.getFileName() + "]"));
  }

  private static Layer layer(Path example, CloudInit.Source source, Map<String, JsonNode> objects) {
    String origin =
        source.configMapRef() != null
            ? "ConfigMap/" + source.configMapRef().name()
            : "Secret/" + source.secretRef().name();
    assertThat(objects).as("%s names it and has to bring it", example).containsKey(origin);
    Map<String, String> data = new HashMap<>();
    for (String member : List.of("data", "stringData")) {
      objects
          .get(origin)
          .path(member)
          .properties()
          .forEach(entry -> data.put(entry.getKey(), entry.getValue().asText()));
    }
    return new Layer(origin, source.secretRef() != null, data);
  }

  private static Guest guest() {
    return new Guest(
        "11111111-2222-3333-4444-555555555555",
        "example",
        List.of(new Nic("default", "52:54:00:12:34:56", Optional.empty())),
        List.of());
  }

  private static String origin(JsonNode document) {
    return document.path("kind").asText() + "/" + document.at("/metadata/name").asText();
  }

  private static Stream<JsonNode> virtualMachines(Path example) {
    return documents(example).stream()
        .filter(document -> document.path("kind").asText().equals("VirtualMachine"));
  }

  private static VirtualMachineSpec spec(JsonNode vm) {
    try {
      return STRICT.readValue(vm.path("spec"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<JsonNode> documents(Path example) {
    try {
      return YAML.readerFor(JsonNode.class).<JsonNode>readValues(example.toFile()).readAll();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
