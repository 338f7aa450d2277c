package dev.qemuoperator.machine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.qemuoperator.cloudinit.Seed;
import dev.qemuoperator.pod.VmObjects;
import io.fabric8.kubernetes.api.model.Secret;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Which source contributed what to the wanted seed and to the one that the guest booted with: seed
 * hash → origin → hash of its part. It is kept on the seed's Secret, so that an operator that has
 * just started can name what changed.
 */
record SeedHistory(SortedMap<String, SortedMap<String, String>> origins) {

  private static final JsonMapper JSON = new JsonMapper();

  SeedHistory {
    origins = origins == null ? new TreeMap<>() : origins; // JSON has a null, too
  }

  static SeedHistory of(Optional<Secret> seed) {
    return seed.map(secret -> secret.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(VmObjects.SEEDS_ANNOTATION))
        .map(SeedHistory::parse)
        .orElseGet(() -> new SeedHistory(new TreeMap<>()));
  }

  /**
   * The history with the wanted seed, without what nobody needs any more.
   *
   * @param mayHaveBooted whether a guest that runs may have booted with the seed of a hash
   */
  String with(Seed wanted, Predicate<String> mayHaveBooted) {
    SortedMap<String, SortedMap<String, String>> kept = new TreeMap<>(origins);
    kept.keySet().removeIf(mayHaveBooted.negate());
    kept.put(wanted.hash(), wanted.origins());
    try {
      return JSON.writeValueAsString(kept);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of strings is always JSON", e);
    }
  }

  Optional<SortedMap<String, String>> origins(String hash) {
    return Optional.ofNullable(origins.get(hash));
  }

  /** Of somebody's edit of the annotation: no history. */
  private static SeedHistory parse(String json) {
    try {
      return new SeedHistory(
          JSON.readValue(json, new TypeReference<TreeMap<String, SortedMap<String, String>>>() {}));
    } catch (JsonProcessingException e) {
      return new SeedHistory(new TreeMap<>(Map.of()));
    }
  }
}
