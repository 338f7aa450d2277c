package dev.qemuoperator.helm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.Golden;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The chart installs the CRDs of crds/, and does not take the users' machines with it. */
class ChartCrdsTest {

  private static final Path SOURCE = Path.of("crds");

  /** A copy, because a symbolic link is lost where Git's archive or Flux carries the chart. */
  private static final Path COPY = Chart.DIRECTORY.resolve("files").resolve("crds");

  @Test
  void chartHasTheCrdsOfTheProject() throws IOException {
    for (Path file : files(SOURCE)) {
      Golden.assertMatches(COPY.resolve(file.getFileName()), Files.readString(file));
    }
    assertThat(files(COPY))
        .as("%s has a CRD that %s has not: delete it", COPY, SOURCE)
        .extracting(file -> file.getFileName().toString())
        .containsExactlyElementsOf(
            files(SOURCE).stream().map(file -> file.getFileName().toString()).toList());
  }

  @Test
  void crdIsInstalledAsItIsInTheFile() throws IOException {
    List<CustomResourceDefinition> expected =
        files(COPY).stream()
            .map(file -> Serialization.unmarshal(read(file), CustomResourceDefinition.class))
            .toList();
    assertThat(Chart.render().all(CustomResourceDefinition.class))
        .extracting(CustomResourceDefinition::getSpec)
        .containsExactlyInAnyOrderElementsOf(
            expected.stream().map(CustomResourceDefinition::getSpec).toList());
  }

  @Test
  void uninstallLeavesTheMachines() {
    assertThat(Chart.render().all(CustomResourceDefinition.class))
        .isNotEmpty()
        .allSatisfy(
            crd ->
                assertThat(crd.getMetadata().getAnnotations())
                    .containsEntry("helm.sh/resource-policy", "keep"));
    assertThat(Chart.render("crds: {keep: false}").all(CustomResourceDefinition.class))
        .isNotEmpty()
        .allSatisfy(
            crd ->
                assertThat(crd.getMetadata().getAnnotations())
                    .doesNotContainKey("helm.sh/resource-policy"));
  }

  @Test
  void secondReleaseBringsNoCrds() {
    assertThat(Chart.render("crds: {install: false}").kinds())
        .doesNotContain("CustomResourceDefinition");
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
