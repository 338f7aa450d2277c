package dev.qemuoperator.docs;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The reference of one kind, as Markdown. */
final class ApiReference {

  /** Types of Kubernetes itself: its own reference describes them. */
  private static final Map<String, String> KUBERNETES =
      Map.of(
          "spec.affinity", "Affinity",
          "spec.tolerations", "Toleration[]",
          "spec.topologySpreadConstraints", "TopologySpreadConstraint[]",
          "status.conditions", "Condition[]");

  private final StringBuilder out = new StringBuilder();

  private ApiReference() {}

  /**
   * @param source the file that the conditions are documented in
   */
  static String of(CustomResourceDefinition crd, DocumentedConditions conditions, String source) {
    ApiReference reference = new ApiReference();
    reference.kind(crd, " and `%s`".formatted(source));
    reference.conditions(conditions);
    return reference.out.toString();
  }

  /** Of a kind without a status. */
  static String of(CustomResourceDefinition crd) {
    ApiReference reference = new ApiReference();
    reference.kind(crd, "");
    return reference.out.toString();
  }

  private void kind(CustomResourceDefinition crd, String conditions) {
    var names = crd.getSpec().getNames();
    CustomResourceDefinitionVersion version = crd.getSpec().getVersions().getFirst();
    JSONSchemaProps resource = version.getSchema().getOpenAPIV3Schema();
    line("# API reference");
    line("");
    line(
        "Generated from `crds/%s.yaml`%s by `ApiReferenceTest`;"
            .formatted(crd.getMetadata().getName(), conditions));
    line("`./test unit --update` writes it anew.");
    line("");
    line(
        "## %s (`%s/%s`, short name `%s`)"
            .formatted(
                names.getKind(),
                crd.getSpec().getGroup(),
                version.getName(),
                String.join("`, `", names.getShortNames())));
    line("");
    List<String> rules = new ArrayList<>();
    messages(resource, rules);
    if (rules.isEmpty()) {
      line("Below a table stand the rules that it has no room for, as the API server words them.");
    } else {
      line("Below a table stand the rules that it has no room for, as the API server words them:");
      line("");
      rules.forEach(rule -> line("- " + rule));
    }
    object("spec", resource.getProperties().get("spec"));
    columns(version);
    JSONSchemaProps status = resource.getProperties().get("status");
    if (status != null) {
      object("status", status);
    }
  }

  /** The table of an object, and then those of the objects in it. */
  private void object(String path, JSONSchemaProps object) {
    boolean written = path.startsWith("spec");
    line("");
    line("### %s".formatted(path));
    line("");
    line(written ? "| field | type | default | limits | |" : "| field | type | |");
    line(written ? "|---|---|---|---|---|" : "|---|---|---|");
    object.getProperties().forEach((name, field) -> row(path, name, field, written, object));
    rules(object);
    object
        .getProperties()
        .forEach(
            (name, field) -> {
              String below = path + "." + name;
              if (hasTable(below, field)) {
                object(isList(field) ? below + "[]" : below, element(field));
              }
            });
  }

  private void row(
      String path, String name, JSONSchemaProps field, boolean written, JSONSchemaProps object) {
    String type = type(path + "." + name, field);
    String meaning = cell(field.getDescription());
    boolean required = object.getRequired() != null && object.getRequired().contains(name);
    line(
        written
            ? "| `%s` | %s | %s | %s | %s |"
                .formatted(name, type, defaultOf(field), limits(field, required), meaning)
            : "| `%s` | %s | %s |".formatted(name, type, meaning));
  }

  private static boolean hasTable(String path, JSONSchemaProps field) {
    return !KUBERNETES.containsKey(path) && hasFields(element(field));
  }

  private static boolean hasFields(JSONSchemaProps schema) {
    return schema.getProperties() != null && !schema.getProperties().isEmpty();
  }

  private static boolean isList(JSONSchemaProps field) {
    return field.getItems() != null;
  }

  private static JSONSchemaProps element(JSONSchemaProps field) {
    return isList(field) ? field.getItems().getSchema() : field;
  }

  private static String type(String path, JSONSchemaProps field) {
    if (KUBERNETES.containsKey(path)) {
      return KUBERNETES.get(path);
    }
    JSONSchemaProps element = element(field);
    String type =
        Boolean.TRUE.equals(element.getXKubernetesIntOrString())
            ? "quantity"
            : element.getAdditionalProperties() == null ? element.getType() : "map of strings";
    if (type.equals("object")) {
      type = hasFields(element) ? "[object](#" + anchor(path) + ")" : "`{}`";
    }
    return isList(field) ? type + ", list" : type;
  }

  private static String anchor(String path) {
    return path.replaceAll("[.\\[\\]]", "").toLowerCase(Locale.ROOT);
  }

  private static String defaultOf(JSONSchemaProps field) {
    return field.getDefault() == null ? "" : code(compact(field.getDefault()));
  }

  private static String compact(JsonNode value) {
    return value.isTextual() ? value.asText() : value.toString();
  }

  private static String limits(JSONSchemaProps field, boolean required) {
    List<String> limits = new ArrayList<>();
    if (required) {
      limits.add("**required**");
    }
    Stream.of(
            range("", field.getMinimum(), field.getMaximum()),
            range("items: ", field.getMinItems(), field.getMaxItems()),
            range("length: ", field.getMinLength(), field.getMaxLength()))
        .filter(text -> !text.isEmpty())
        .forEach(limits::add);
    words(field, "").forEach(limits::add);
    if (isList(field)) {
      words(element(field), "each: ").forEach(limits::add);
    }
    if (field.getXKubernetesListMapKeys() != null && !field.getXKubernetesListMapKeys().isEmpty()) {
      limits.add("unique by " + String.join(", ", field.getXKubernetesListMapKeys()));
    }
    return String.join("; ", limits);
  }

  private static List<String> words(JSONSchemaProps field, String prefix) {
    List<String> words = new ArrayList<>();
    if (field.getEnum() != null && !field.getEnum().isEmpty()) {
      words.add(
          prefix
              + field.getEnum().stream()
                  .map(value -> code(compact(value)))
                  .collect(Collectors.joining(", ")));
    }
    if (field.getPattern() != null) {
      words.add(prefix + code(field.getPattern()));
    }
    return words;
  }

  private static String range(String what, Number least, Number most) {
    if (least == null && most == null) {
      return "";
    }
    String from = least == null ? "" : String.valueOf(least.longValue());
    String to = most == null ? "" : String.valueOf(most.longValue());
    return what + (from.isEmpty() ? "≤ " + to : to.isEmpty() ? "≥ " + from : from + "–" + to);
  }

  private void rules(JSONSchemaProps object) {
    List<String> messages = new ArrayList<>();
    messages(object, messages);
    // a rule on a single value has no table of its own
    object.getProperties().values().stream()
        .filter(field -> !hasFields(field))
        .forEach(field -> messages(field, messages));
    if (!messages.isEmpty()) {
      line("");
      messages.forEach(message -> line("- " + message.replace("<", "\\<")));
    }
  }

  private static void messages(JSONSchemaProps schema, List<String> messages) {
    if (schema.getXKubernetesValidations() != null) {
      schema.getXKubernetesValidations().forEach(rule -> messages.add(rule.getMessage()));
    }
  }

  private void columns(CustomResourceDefinitionVersion version) {
    line("");
    line("### kubectl get");
    line("");
    line("| column | value | |");
    line("|---|---|---|");
    version
        .getAdditionalPrinterColumns()
        .forEach(
            column ->
                line(
                    "| %s | %s | %s |"
                        .formatted(
                            column.getName().toUpperCase(Locale.ROOT),
                            code(column.getJsonPath()),
                            Integer.valueOf(1).equals(column.getPriority()) ? "`-o wide`" : "")));
  }

  private void conditions(DocumentedConditions conditions) {
    line("");
    line("## Conditions");
    line("");
    boolean restart = conditions.types().stream().anyMatch(t -> t.name().equals("RestartRequired"));
    line(
        "All are there from the first pass. All are good when True%s."
            .formatted(restart ? ", but RestartRequired" : ""));
    for (DocumentedConditions.Type type : conditions.types()) {
      line("");
      line("### " + type.name());
      line("");
      line(type.meaning());
      line("");
      line("| reason | |");
      line("|---|---|");
      type.reasons()
          .forEach(
              reason -> line("| `%s` | %s |".formatted(reason.name(), cell(reason.meaning()))));
    }
  }

  private static String code(String text) {
    return "`" + text.replace("|", "\\|") + "`";
  }

  private static String cell(String text) {
    return text == null ? "" : text.replace("|", "\\|").replace("<", "\\<");
  }

  private void line(String text) {
    out.append(text.stripTrailing()).append('\n');
  }
}
