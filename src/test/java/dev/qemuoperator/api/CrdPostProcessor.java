package dev.qemuoperator.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRule;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** What the CRD generator has no annotation for, or gets wrong. */
public final class CrdPostProcessor implements CRDPostProcessor {

  private static final List<String> COLUMN_ORDER =
      List.of(
          "Status",
          "Ready",
          "Reason",
          "NodePath",
          "Bridge",
          "CIDR",
          "Used",
          "Free",
          "VMs",
          "IP",
          "Node",
          "CPU",
          "Mem",
          "Age",
          "MAC",
          "Accel",
          "Restarts",
          "LastExit",
          "Source",
          "Digest");

  @Override
  public HasMetadata process(HasMetadata crd, String crdSpecVersion) {
    ((CustomResourceDefinition) crd).getSpec().getVersions().forEach(CrdPostProcessor::process);
    return crd;
  }

  private static void process(CustomResourceDefinitionVersion version) {
    List<CustomResourceColumnDefinition> columns =
        new ArrayList<>(version.getAdditionalPrinterColumns());
    columns.sort(Comparator.comparingInt(column -> COLUMN_ORDER.indexOf(column.getName())));
    version.setAdditionalPrinterColumns(columns);
    JSONSchemaProps schema = version.getSchema().getOpenAPIV3Schema();
    schema.getProperties().get("spec").setDescription("What the user wants.");
    walk(schema);
    JSONSchemaProps status = schema.getProperties().get("status");
    if (status.getProperties() == null || status.getProperties().isEmpty()) {
      // of a kind that has none the generator makes an empty one
      schema.getProperties().remove("status");
      version.setSubresources(null);
    } else {
      status(status);
    }
  }

  private static void status(JSONSchemaProps status) {
    status.setDescription("What is so.");
    // kstatus takes an object without a status as ready
    status.setDefault(
        JsonNodeFactory.instance
            .objectNode()
            .put("observedGeneration", VirtualMachineStatus.NOTHING_OBSERVED));
    boundConditions(status.getProperties().get("conditions"));
  }

  private static void walk(JSONSchemaProps schema) {
    // a rule on a record component is found twice: on the field and on its accessor
    List<ValidationRule> rules = schema.getXKubernetesValidations();
    if (rules != null) {
      schema.setXKubernetesValidations(new ArrayList<>(new LinkedHashSet<>(rules)));
    }
    // a larger one would be no int of the records, and the operator could not read the object
    if ("integer".equals(schema.getType()) && schema.getMaximum() == null) {
      schema.setMaximum((double) Integer.MAX_VALUE);
    }
    if ("integer".equals(schema.getType()) && schema.getMinimum() == null) {
      schema.setMinimum((double) Integer.MIN_VALUE);
    }
    // a quantity of unbounded length would make every rule about it too expensive for the API
    // server
    if (Boolean.TRUE.equals(schema.getXKubernetesIntOrString())) {
      schema.setMaxLength(32L);
    }
    Map<String, JSONSchemaProps> properties = schema.getProperties();
    if (properties != null) {
      properties.values().forEach(CrdPostProcessor::walk);
    }
    if (schema.getItems() != null && schema.getItems().getSchema() != null) {
      declareListMap(schema);
      walk(schema.getItems().getSchema());
    }
  }

  /** Lists of named things are maps by name, so that two writers can each own an element. */
  private static void declareListMap(JSONSchemaProps list) {
    JSONSchemaProps item = list.getItems().getSchema();
    Map<String, JSONSchemaProps> properties = item.getProperties();
    if (properties == null) {
      return;
    }
    String key =
        properties.containsKey("lastTransitionTime")
            ? "type"
            : properties.containsKey("name") ? "name" : null;
    if (key == null) {
      return;
    }
    list.setXKubernetesListType("map");
    list.setXKubernetesListMapKeys(List.of(key));
    // the API server wants its keys to be required
    var required =
        new TreeSet<>(item.getRequired() == null ? List.<String>of() : item.getRequired());
    required.add(key);
    item.setRequired(new ArrayList<>(required));
  }

  /** The bounds of metav1.Condition. */
  private static void boundConditions(JSONSchemaProps conditions) {
    JSONSchemaProps condition = conditions.getItems().getSchema();
    condition.setRequired(List.of("lastTransitionTime", "message", "reason", "status", "type"));
    Map<String, JSONSchemaProps> properties = condition.getProperties();
    properties.get("lastTransitionTime").setFormat("date-time");
    properties.get("message").setMaxLength(32768L);
    properties.get("reason").setMinLength(1L);
    properties.get("reason").setMaxLength(1024L);
    properties.get("reason").setPattern("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$");
    properties
        .get("status")
        .setEnum(
            List.of("True", "False", "Unknown").stream()
                .<com.fasterxml.jackson.databind.JsonNode>map(
                    com.fasterxml.jackson.databind.node.TextNode::valueOf)
                .toList());
    properties.get("type").setMaxLength(316L);
  }
}
