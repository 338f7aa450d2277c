package dev.qemuoperator.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.qemuoperator.Golden;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.luaj.vm2.Globals;
import org.luaj.vm2.LoadState;
import org.luaj.vm2.LuaTable;
import org.luaj.vm2.LuaValue;
import org.luaj.vm2.compiler.LuaC;
import org.luaj.vm2.lib.BaseLib;
import org.luaj.vm2.lib.PackageLib;
import org.luaj.vm2.lib.TableLib;

/** docs/argocd-health.lua, run by a Lua interpreter that has no more libraries than Argo CD's. */
class ArgoCdHealthTest {

  private static final Path SCRIPT = Path.of("docs", "argocd-health.lua");
  private static final Path SCENARIOS = Path.of("src", "test", "resources", "scenarios");
  private static final Path EXPECTED = Path.of("src", "test", "resources", "argocd-health.txt");
  private static final YAMLMapper YAML = new YAMLMapper();

  /**
   * A new scenario is not in the file: update it, and read whether its health is what it should.
   */
  @Test
  void everyScenarioHasItsHealth() throws IOException {
    Map<String, Health> all = new TreeMap<>();
    for (Path story : stories()) {
      JsonNode status = YAML.readTree(story.resolve("out-status.yaml").toFile());
      all.put(story.getFileName().toString(), health(vm(generationOf(status), status)));
    }
    Golden.assertMatches(
        EXPECTED,
        all.entrySet().stream()
            .map(story -> "%s: %s\n".formatted(story.getKey(), story.getValue().status()))
            .collect(Collectors.joining()));
  }

  @Test
  void messageIsThatOfTheSummary() throws IOException {
    JsonNode status = statusOf("checksum-does-not-match");
    assertThat(health(vm(1, status)).message()).contains("checksum");
  }

  /** What makes a sync go on, wait, or fail. */
  @ParameterizedTest
  @CsvSource({
    "running, Healthy",
    "halted, Healthy",
    "never-started, Healthy",
    "first-start, Progressing",
    "halting, Progressing",
    "base-image-comes, Progressing",
    "guest-powered-off-and-is-started-again, Progressing",
    "base-image-missing-on-the-node-replaces-the-pod, Progressing",
    "probe-fails, Progressing",
    "no-node-fits, Progressing",
    "paused, Suspended",
    "configmap-missing, Degraded",
    "configmap-missing-while-the-guest-runs, Degraded",
    "checksum-does-not-match, Degraded",
    "bad-cpu-model-loops, Degraded",
    "node-lost, Unknown",
    "qmp-lost, Unknown",
  })
  void healthIs(String story, String expected) throws IOException {
    JsonNode status = statusOf(story);
    assertThat(health(vm(generationOf(status), status)).status()).isEqualTo(expected);
  }

  @Test
  void specThatTheOperatorHasNotSeenIsProgress() throws IOException {
    assertThat(health(vm(2, statusOf("running"))).status()).isEqualTo("Progressing");
    assertThat(health(vm(2, statusOf("configmap-missing"))).status()).isEqualTo("Progressing");
  }

  @Test
  void objectWithoutAStatusIsProgress() {
    assertThat(health(vm(1, YAML.createObjectNode())).status()).isEqualTo("Progressing");
    ObjectNode fresh = vm(1, YAML.createObjectNode());
    fresh.remove("status");
    assertThat(health(fresh).status()).isEqualTo("Progressing");
  }

  /** Reasons that no scenario shows. */
  @ParameterizedTest
  @CsvSource({
    "Accepted, False, ReconcileDisabled, Suspended",
    "Running, False, Failed, Degraded",
    "Running, False, DiskFull, Degraded",
    "Running, False, IOError, Degraded",
    "GuestReachable, False, CloudInitFailed, Degraded",
  })
  void healthOfAReasonIs(String type, String conditionStatus, String reason, String expected)
      throws IOException {
    JsonNode status = statusOf("first-start");
    for (JsonNode condition : status.path("conditions")) {
      if (condition.path("type").asText().equals(type)) {
        ((ObjectNode) condition).put("status", conditionStatus).put("reason", reason);
      }
    }
    assertThat(health(vm(1, status)).status()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "True, OnDemand, Healthy",
    "True, Resolved, Healthy",
    "False, SourceUnavailable, Degraded",
    "False, ChecksumUnavailable, Degraded"
  })
  void healthOfAnImageIs(String conditionStatus, String reason, String expected) {
    ObjectNode status = YAML.createObjectNode().put("observedGeneration", 1);
    status
        .putArray("conditions")
        .addObject()
        .put("type", "Ready")
        .put("status", conditionStatus)
        .put("reason", reason)
        .put("message", "");
    assertThat(health(vm(1, status)).status()).isEqualTo(expected);
  }

  @Test
  void reasonsAreThoseOfTheApi() throws IOException {
    List<String> known = new ArrayList<>();
    for (String file : List.of("Conditions.java", "ImageConditions.java")) {
      known.addAll(
          DocumentedConditions.parse(
                  Files.readString(Path.of("src/main/java/dev/qemuoperator/api", file)))
              .reasons());
    }
    List<String> named =
        Pattern.compile("(\\w+) = true|reason\\(\"\\w+\"\\) [~=]= \"(\\w+)\"")
            .matcher(Files.readString(SCRIPT))
            .results()
            .map(match -> match.group(1) == null ? match.group(2) : match.group(1))
            .toList();
    assertThat(named).as("reasons in %s", SCRIPT).isNotEmpty().isSubsetOf(known);
  }

  private record Health(String status, String message) {}

  private static Health health(JsonNode vm) {
    Globals globals = new Globals();
    globals.load(new BaseLib());
    globals.load(new PackageLib());
    globals.load(new TableLib());
    LoadState.install(globals);
    LuaC.install(globals);
    globals.set("obj", lua(vm));
    LuaValue result = globals.load(script(), SCRIPT.toString()).call();
    Health health =
        new Health(result.get("status").checkjstring(), result.get("message").checkjstring());
    assertThat(health.status())
        .as("what Argo CD takes")
        .isIn("Healthy", "Progressing", "Suspended", "Degraded", "Unknown");
    return health;
  }

  private static String script() {
    try {
      return Files.readString(SCRIPT);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As Argo CD makes it: objects and lists are tables, numbers are numbers. */
  private static LuaValue lua(JsonNode json) {
    return switch (json.getNodeType()) {
      case OBJECT -> {
        LuaTable table = new LuaTable();
        json.properties().forEach(field -> table.set(field.getKey(), lua(field.getValue())));
        yield table;
      }
      case ARRAY -> {
        LuaTable table = new LuaTable();
        json.forEach(element -> table.set(table.length() + 1, lua(element)));
        yield table;
      }
      case STRING -> LuaValue.valueOf(json.textValue());
      case NUMBER -> LuaValue.valueOf(json.doubleValue());
      case BOOLEAN -> LuaValue.valueOf(json.booleanValue());
      default -> LuaValue.NIL;
    };
  }

  private static ObjectNode vm(int generation, JsonNode status) {
    ObjectNode vm = YAML.createObjectNode();
    vm.putObject("metadata").put("name", "web").put("generation", generation);
    vm.set("status", status);
    return vm;
  }

  private static int generationOf(JsonNode status) {
    return status.path("observedGeneration").asInt();
  }

  private static JsonNode statusOf(String story) throws IOException {
    return YAML.readTree(SCENARIOS.resolve(story).resolve("out-status.yaml").toFile());
  }

  private static List<Path> stories() throws IOException {
    try (Stream<Path> folders = Files.list(SCENARIOS)) {
      return folders.filter(Files::isDirectory).sorted().toList();
    }
  }
}
