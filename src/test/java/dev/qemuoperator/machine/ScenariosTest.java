package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.Golden;
import dev.qemuoperator.machine.Scenario.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each folder of src/test/resources/scenarios is a story of one pass of the reconciler. */
class ScenariosTest {

  static List<String> stories() throws IOException {
    try (Stream<Path> folders = Files.list(Scenario.ROOT)) {
      return folders
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("stories")
  void passMakesOfTheInputsWhatTheStorySays(String story) throws IOException {
    Path folder = Scenario.ROOT.resolve(story);
    Scenario scenario = new Scenario(folder);
    Outcome outcome = scenario.play();

    assertThat(scenario.unusedInputs())
        .as("files of %s that nothing reads: correct their names or delete them", folder)
        .isEmpty();
    outcome.files().forEach((name, text) -> Golden.assertMatches(folder.resolve(name), text));
    for (Path file : outputs(folder)) {
      if (!outcome.files().containsKey(file.getFileName().toString())) {
        if (Golden.isUpdating()) {
          Files.delete(file);
        }
        assertThat(file)
            .as("the pass writes no %s: run ./test unit --update if that is meant", file)
            .doesNotExist();
      }
    }
  }

  private static List<Path> outputs(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.getFileName().toString().startsWith("out-")).toList();
    }
  }
}
