package dev.qemuoperator.pod;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.qemuoperator.api.RunStrategy;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.qemu.LanPort;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The fields of a spec that are fixed when its pod is made, each by its path, such as {@code
 * spec.disks[root].size}. A pod carries those that it was made from, so that any operator can say
 * later what differs, and from what.
 */
public final class SpecFields {

  /** What applies without another pod, or is told by CloudInitCurrent. */
  private static final Set<String> NOT_OF_THE_POD =
      Set.of("paused", "ports", "service", "cloudInit", "ssh", "runStrategy");

  /** What is written to the claim at once, and what the operator itself looks at. */
  private static final Pattern AT_ONCE =
      Pattern.compile(
          "spec\\.disks\\[[^]]+]\\.(reclaimPolicy|selfContained)|spec\\.readinessProbe\\.cloudInit");

  private static final String LIMIT = "spec.cpu.limitPercent";

  private static final JsonMapper JSON = new JsonMapper();

  private SpecFields() {}

  /**
   * @param ports of cards on LANs, by card
   */
  static SortedMap<String, String> of(
      VirtualMachineSpec spec, Map<String, LanPort> ports, PodSettings settings) {
    SortedMap<String, String> fields = new TreeMap<>();
    JsonNode tree = tree(spec);
    tree.properties().stream()
        .filter(field -> !NOT_OF_THE_POD.contains(field.getKey()))
        .forEach(field -> flatten("spec." + field.getKey(), field.getValue(), fields));
    fields.remove(LIMIT);
    fields.keySet().removeIf(AT_ONCE.asMatchPredicate());
    if (spec.cloudInit() != null || spec.ssh() != null) {
      fields.put("spec.cloudInit", "a seed disk");
    }
    if (spec.runStrategy() != RunStrategy.HALTED) {
      fields.put("spec.runStrategy", tree.path("runStrategy").asText());
    }
    ports.forEach((card, port) -> lan("spec.networks[%s].bridge".formatted(card), port, fields));
    fields.put("operator: runner image", settings.runnerImage());
    return fields;
  }

  /** What its BridgeNetwork says. */
  private static void lan(String card, LanPort port, SortedMap<String, String> fields) {
    fields.put(card + ": bridge", port.bridge());
    port.vlan().ifPresent(id -> fields.put(card + ": vlan", String.valueOf(id)));
    port.mtu().ifPresent(bytes -> fields.put(card + ": mtu", String.valueOf(bytes)));
    port.address().ifPresent(address -> fields.putIfAbsent(card + ".address", address));
  }

  private static JsonNode tree(VirtualMachineSpec spec) {
    try {
      return JSON.readTree(Serialization.asJson(spec));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("what was just written is JSON", e);
    }
  }

  private static void flatten(String path, JsonNode value, SortedMap<String, String> fields) {
    if (value.isObject() && !value.isEmpty()) {
      value
          .properties()
          .forEach(member -> flatten(path + "." + member.getKey(), member.getValue(), fields));
    } else if (value.isArray()) {
      int index = 0;
      for (JsonNode element : value) {
        String key = element.path("name").asText(String.valueOf(index++));
        flatten(path + "[" + key + "]", element, fields);
      }
    } else if (!value.isNull()) {
      fields.put(path, value.isValueNode() ? value.asText() : value.toString());
    }
  }

  static String write(SortedMap<String, String> fields) {
    try {
      return JSON.writeValueAsString(fields);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of strings is always JSON", e);
    }
  }

  /** Of somebody's edit of the annotation, or a pod of an operator that wrote none: nothing. */
  static SortedMap<String, String> read(String json) {
    try {
      return JSON.readValue(json, new TypeReference<TreeMap<String, String>>() {});
    } catch (JsonProcessingException e) {
      return new TreeMap<>();
    }
  }
}
