package dev.qemuoperator.machine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.qemuoperator.api.VirtualMachine;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * What the API server adds to a manifest: the schema's defaults, and the metadata of an object that
 * exists. So tests can have manifests as short as users write them.
 */
public final class ApiServerDefaults {

  /** metadata.uid of every VM of the tests. */
  public static final String UID = "6a1f1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b";

  private static final YAMLMapper YAML = new YAMLMapper();
  private static final JsonNode SCHEMA = schema();

  private ApiServerDefaults() {}

  /** The object that the API server makes of a manifest. */
  public static VirtualMachine virtualMachine(String manifest) {
    try {
      ObjectNode tree = (ObjectNode) YAML.readTree(manifest);
      fill(tree, SCHEMA);
      ObjectNode metadata = tree.withObjectProperty("metadata");
      setIfAbsent(metadata, "namespace", "default");
      setIfAbsent(metadata, "uid", UID);
      if (!metadata.has("generation")) {
        metadata.put("generation", 1);
      }
      return Serialization.unmarshal(tree.toString(), VirtualMachine.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void setIfAbsent(ObjectNode object, String field, String value) {
    if (!object.has(field)) {
      object.put(field, value);
    }
  }

  /**
   * A default is filled in first and then has its own defaults filled in, as the API server does.
   */
  private static void fill(JsonNode value, JsonNode schema) {
    if (value instanceof ObjectNode object) {
      schema
          .path("properties")
          .properties()
          .forEach(
              property -> {
                JsonNode preset = property.getValue().get("default");
                if (preset != null && !object.has(property.getKey())) {
                  object.set(property.getKey(), preset.deepCopy());
                }
                fill(object.path(property.getKey()), property.getValue());
              });
    } else if (value.isArray()) {
      value.forEach(item -> fill(item, schema.path("items")));
    }
  }

  private static JsonNode schema() {
    try {
      return YAML.readTree(Path.of("crds", "virtualmachines.qemu-operator.dev.yaml").toFile())
          .at("/spec/versions/0/schema/openAPIV3Schema");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
