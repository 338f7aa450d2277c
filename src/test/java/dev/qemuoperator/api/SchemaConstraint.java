package dev.qemuoperator.api;

import io.fabric8.kubernetes.api.model.StatusCause;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * One rule of a schema, and how the API server says that it is broken.
 *
 * @param field path as in the API server's messages, without indices: {@code spec.disks.name}
 * @param rule the rule, for people
 * @param complaint part of the message
 */
record SchemaConstraint(String field, String rule, String complaint) {

  /** Types of Kubernetes itself, which its own tests cover. */
  private static final Set<String> NOT_OURS =
      Set.of("spec.affinity", "spec.tolerations", "spec.topologySpreadConstraints");

  /** All rules of a resource's schema but those of its status, which only the operator writes. */
  static List<SchemaConstraint> of(JSONSchemaProps resource) {
    List<SchemaConstraint> found = new ArrayList<>();
    resource.getProperties().remove("status");
    collect("", resource, found);
    return found;
  }

  private static void collect(String path, JSONSchemaProps schema, List<SchemaConstraint> found) {
    if (NOT_OURS.contains(path)) {
      return;
    }
    collectOwn(path, schema, found);
    for (String required : orNone(schema.getRequired())) {
      found.add(new SchemaConstraint(below(path, required), "required", "Required value"));
    }
    if (schema.getProperties() != null) {
      schema.getProperties().forEach((name, child) -> collect(below(path, name), child, found));
    }
    if (schema.getItems() != null) {
      collect(path, schema.getItems().getSchema(), found);
    }
  }

  private static void collectOwn(
      String path, JSONSchemaProps schema, List<SchemaConstraint> found) {
    add(path, "minimum", schema.getMinimum(), "should be greater than or equal to", found);
    add(path, "maximum", schema.getMaximum(), "should be less than or equal to", found);
    add(path, "minLength", schema.getMinLength(), "should be at least", found);
    add(path, "maxLength", schema.getMaxLength(), "Too long", found);
    add(path, "minItems", schema.getMinItems(), "should have at least", found);
    add(path, "maxItems", schema.getMaxItems(), "Too many", found);
    add(path, "maxProperties", schema.getMaxProperties(), "Too many", found);
    add(path, "pattern", schema.getPattern(), "should match", found);
    if (!orNone(schema.getEnum()).isEmpty()) {
      add(path, "enum", schema.getEnum(), "Unsupported value", found);
    }
    if ("map".equals(schema.getXKubernetesListType())) {
      add(path, "unique", schema.getXKubernetesListMapKeys(), "Duplicate value", found);
    }
    orNone(schema.getXKubernetesValidations())
        .forEach(rule -> add(path, "CEL", rule.getRule(), rule.getMessage(), found));
  }

  private static void add(
      String path, String kind, Object value, String complaint, List<SchemaConstraint> found) {
    if (value != null) {
      found.add(new SchemaConstraint(path, kind + " " + value, complaint));
    }
  }

  private static String below(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  private static <T> Collection<T> orNone(Collection<T> values) {
    return values == null ? List.of() : values;
  }

  boolean isBrokenBy(StatusCause cause) {
    return fieldOf(cause).equals(field) && cause.getMessage().contains(complaint);
  }

  private static String fieldOf(StatusCause cause) {
    return cause.getField().replaceAll("\\[[^]]*]", "").replace("<nil>", "");
  }

  @Override
  public String toString() {
    return "%s: %s (\"%s\")".formatted(field.isEmpty() ? "the resource" : field, rule, complaint);
  }
}
