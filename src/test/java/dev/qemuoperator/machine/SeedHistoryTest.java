package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.cloudinit.Seed;
import dev.qemuoperator.pod.VmObjects;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SeedHistoryTest {

  @Test
  void firstSeedBeginsTheHistory() {
    String history = SeedHistory.of(Optional.empty()).with(seed("one", "a"), hash -> true);
    assertThat(read(history).origins("one")).contains(new TreeMap<>(Map.of("ConfigMap/base", "a")));
  }

  @Test
  void seedThatTheGuestMayHaveBootedWithIsKept() {
    String first = SeedHistory.of(Optional.empty()).with(seed("one", "a"), hash -> true);
    String second = read(first).with(seed("two", "b"), "one"::equals);
    assertThat(read(second).origins().keySet()).containsExactly("one", "two");
  }

  @Test
  void seedsThatNobodyBootedWithAreForgotten() {
    String first = SeedHistory.of(Optional.empty()).with(seed("one", "a"), hash -> true);
    String second = read(first).with(seed("two", "b"), hash -> false);
    assertThat(read(second).origins().keySet()).containsExactly("two");
  }

  @Test
  void editedAnnotationIsNoHistory() {
    assertThat(read("[not ours").origins()).isEmpty();
    assertThat(read("[]").origins()).isEmpty();
  }

  @Test
  void emptyAnnotationIsNoHistory() {
    assertThat(read("null").origins()).isEmpty();
    assertThat(read("").origins()).isEmpty();
  }

  private static SeedHistory read(String annotation) {
    Secret secret =
        new SecretBuilder()
            .withNewMetadata()
            .addToAnnotations(VmObjects.SEEDS_ANNOTATION, annotation)
            .endMetadata()
            .build();
    return SeedHistory.of(Optional.of(secret));
  }

  private static Seed seed(String hash, String part) {
    return new Seed(
        new TreeMap<>(), hash, "instance", new TreeMap<>(Map.of("ConfigMap/base", part)));
  }
}
