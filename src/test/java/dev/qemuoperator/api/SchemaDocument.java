package dev.qemuoperator.api;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file of {@code src/test/resources/schema/}: one resource, or one before and after an update
 * with {@code ---} between. Its comments {@code # error: …} are the complaints that it must cause.
 * {@code <254 letters>} stands for so many letters.
 */
record SchemaDocument(Path file, List<String> errors, List<GenericKubernetesResource> resources) {

  private static final String ERROR = "# error: ";
  private static final Pattern LETTERS = Pattern.compile("<(\\d+) letters>");

  static Stream<SchemaDocument> list(Path directory, String prefix) {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(prefix))
          .sorted()
          .map(SchemaDocument::read)
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static SchemaDocument read(Path file) {
    try {
      String text =
          LETTERS
              .matcher(Files.readString(file))
              .replaceAll(match -> "a".repeat(Integer.parseInt(match.group(1))));
      return new SchemaDocument(
          file,
          text.lines()
              .filter(line -> line.startsWith(ERROR))
              .map(line -> line.substring(ERROR.length()))
              .toList(),
          Stream.of(text.split("(?m)^---\n"))
              .map(part -> Serialization.unmarshal(part, GenericKubernetesResource.class))
              .toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return file.getFileName().toString();
  }
}
