package dev.qemuoperator.cloudinit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Builds the seed for the datasource NoCloud:
 * https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html.
 *
 * <ul>
 *   <li>user-data: none gives an empty cloud-config, one source passes byte for byte, several are
 *       merged as {@link UserData} says.
 *   <li>vendor-data: the operator's ({@link VendorData}) under that of the last layer that has one.
 *       The operator's report does not count into the instance-id.
 *   <li>meta-data: the operator's, and over it that of the last layer that has one.
 *   <li>network-config: that of the last layer that has one, else {@link NetworkConfig}.
 * </ul>
 *
 * Every layer is checked, also where a later one counts. A single finding and there is no seed.
 */
public final class NoCloud {
  // A Secret holds 1 MiB (MaxSecretSize in Kubernetes); the rest is for what else may stand in it.
  static final int MAX_BYTES = 900 * 1024;

  private NoCloud() {}

  public static SeedResult build(Guest guest, List<Layer> layers) {
    var findings = new ArrayList<Finding>();
    layers.forEach(layer -> checkKeys(layer, findings));
    List<Input> userData = inputs(Key.USER_DATA, layers);
    List<Input> vendorData = inputs(Key.VENDOR_DATA, layers);
    List<Input> metaData = inputs(Key.META_DATA, layers);
    List<Input> networkConfig = inputs(Key.NETWORK_CONFIG, layers);

    var files = new TreeMap<String, String>();
    files.put(Key.USER_DATA.file, userData(userData, findings));
    List<List<Part>> vendorParts = vendorData(vendorData, findings);
    files.put(Key.VENDOR_DATA.file, UserData.merge(vendorParts));
    files.put(Key.NETWORK_CONFIG.file, networkConfig(guest, networkConfig, findings));
    Map<Object, Object> facts = metaData(guest, metaData, findings);
    files.put(Key.META_DATA.file, StrictYaml.write(facts));

    String instanceId = guest.uid() + "-" + Seed.hash(files).substring(0, 12);
    vendorParts.add(VendorData.report());
    files.put(Key.VENDOR_DATA.file, UserData.merge(vendorParts));
    var identified = new LinkedHashMap<Object, Object>();
    identified.put("instance-id", instanceId);
    identified.putAll(facts);
    files.put(Key.META_DATA.file, StrictYaml.write(identified));

    var counted = new ArrayList<>(userData);
    last(vendorData).ifPresent(counted::add);
    last(metaData).ifPresent(counted::add);
    last(networkConfig).ifPresent(counted::add);
    SortedMap<String, String> contributions =
        contributions(guest, counted, networkConfig.isEmpty());
    checkSize(files, contributions, findings);
    if (!findings.isEmpty()) {
      return new SeedResult(Optional.empty(), findings);
    }
    var origins = new TreeMap<String, String>();
    contributions.forEach((origin, text) -> origins.put(origin, Seed.sha256(text).substring(0, 8)));
    return new SeedResult(
        Optional.of(new Seed(files, Seed.hash(files), instanceId, origins)), List.of());
  }

  private static void checkKeys(Layer layer, List<Finding> findings) {
    boolean any = false;
    for (Key key : Key.values()) {
      List<String> names = key.namesIn(layer);
      any |= !names.isEmpty();
      if (names.size() > 1) {
        findings.add(
            new Finding(
                layer.origin(),
                names.getFirst(),
                null,
                "stands here also as " + names.getLast() + "; keep one of the two"));
      }
    }
    if (!any) {
      findings.add(
          new Finding(
              layer.origin(),
              null,
              null,
              "has none of the keys that a cloud-init source may have: " + Key.all()));
    }
  }

  private static String userData(List<Input> inputs, List<Finding> findings) {
    List<List<Part>> sources =
        inputs.stream().map(input -> UserData.parts(input, findings)).toList();
    return switch (inputs.size()) {
      case 0 -> UserData.NONE;
      case 1 -> UserData.of(inputs.getFirst(), sources.getFirst());
      default -> UserData.merge(sources);
    };
  }

  private static List<List<Part>> vendorData(List<Input> inputs, List<Finding> findings) {
    var sources = new ArrayList<>(List.of(VendorData.defaults()));
    inputs.stream()
        .map(input -> UserData.parts(input, findings))
        .reduce((_, later) -> later)
        .ifPresent(sources::add);
    return sources;
  }

  private static String networkConfig(Guest guest, List<Input> inputs, List<Finding> findings) {
    for (Input input : inputs) {
      map(input, findings)
          .filter(map -> !map.containsKey("version") && !map.containsKey("network"))
          .ifPresent(
              _ ->
                  findings.add(
                      input.finding(
                          null,
                          "needs a key version (1 or 2), or network with the configuration below"
                              + " it; to leave the network to the image: network: {config:"
                              + " disabled}")));
    }
    return last(inputs).map(Input::text).orElseGet(() -> NetworkConfig.of(guest.nics()));
  }

  private static Map<Object, Object> metaData(
      Guest guest, List<Input> inputs, List<Finding> findings) {
    var facts = new LinkedHashMap<Object, Object>();
    facts.put("local-hostname", guest.hostname());
    if (!guest.authorizedKeys().isEmpty()) {
      // for the default user, besides the keys in user-data (cc_ssh in cloud-init)
      facts.put("public-keys", guest.authorizedKeys());
    }
    Map<?, ?> over = Map.of();
    for (Input input : inputs) {
      over = map(input, findings).orElse(Map.of());
      if (over.containsKey("instance-id")) {
        findings.add(
            input.finding(
                null,
                "instance-id is the operator's: it makes cloud-init run again when its data"
                    + " changes, and only then; remove it"));
      }
      if (over.containsKey("public-keys") && !guest.authorizedKeys().isEmpty()) {
        findings.add(
            input.finding(
                null,
                "public-keys would replace spec.ssh.authorizedKeys; keep the keys in one of the"
                    + " two"));
      }
    }
    facts.putAll(over);
    return facts;
  }

  private static Optional<Map<?, ?>> map(Input input, List<Finding> findings) {
    return switch (StrictYaml.parse(input.text())) {
      case StrictYaml.Parsed.Value(Map<?, ?> map) -> Optional.of(map);
      case StrictYaml.Parsed.Value _ -> {
        findings.add(input.finding(null, "must be a YAML map"));
        yield Optional.empty();
      }
      case StrictYaml.Parsed.Problem problem -> {
        findings.add(input.finding(problem.line(), problem.message()));
        yield Optional.empty();
      }
    };
  }

  /** Everything of which the seed is made, by origin. */
  private static SortedMap<String, String> contributions(
      Guest guest, List<Input> counted, boolean generatedNetwork) {
    var texts = new TreeMap<String, String>();
    texts.put(VendorData.ORIGIN, VendorData.text());
    texts.put("hostname", guest.hostname());
    if (!guest.authorizedKeys().isEmpty()) {
      texts.put("spec.ssh", String.join("\n", guest.authorizedKeys()));
    }
    if (generatedNetwork) {
      texts.put("spec.networks", NetworkConfig.of(guest.nics()));
    }
    for (Input input : counted) {
      texts.merge(input.origin(), input.key() + "\n" + input.text() + "\n", String::concat);
    }
    return texts;
  }

  private static void checkSize(
      Map<String, String> files, Map<String, String> contributions, List<Finding> findings) {
    int total = files.values().stream().mapToInt(NoCloud::bytes).sum();
    if (total <= MAX_BYTES) {
      return;
    }
    String largest =
        contributions.entrySet().stream()
            .max(Comparator.comparingInt(entry -> bytes(entry.getValue())))
            .orElseThrow()
            .getKey();
    findings.add(
        new Finding(
            largest,
            null,
            null,
            "is the largest part of a cloud-init seed of %d KiB, of which a Secret can hold %d KiB;"
                    .formatted(total / 1024, MAX_BYTES / 1024)
                + " let the guest fetch large content (#include, or from its own disk)"));
  }

  private static int bytes(String text) {
    return text.getBytes(UTF_8).length;
  }

  private static List<Input> inputs(Key key, List<Layer> layers) {
    return layers.stream().flatMap(layer -> key.in(layer).stream()).toList();
  }

  private static Optional<Input> last(List<Input> inputs) {
    return inputs.isEmpty() ? Optional.empty() : Optional.of(inputs.getLast());
  }
}
