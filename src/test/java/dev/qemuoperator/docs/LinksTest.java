package dev.qemuoperator.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Links from one file of the project to another lead somewhere. */
class LinksTest {

  private static final Pattern LINK =
      Pattern.compile("]\\((?!\\w+:)(?<path>[^)#]*)(?:#(?<heading>[^)]*))?\\)");
  private static final Pattern CODE = Pattern.compile("(?s)```.*?```|`[^`\n]*`");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

  static List<Path> pages() throws IOException {
    try (Stream<Path> files =
        Stream.of(Path.of("docs"), Path.of("examples"), Path.of("images"), Path.of("."))
            .flatMap(LinksTest::filesOf)) {
      return files.filter(file -> file.toString().endsWith(".md")).sorted().toList();
    }
  }

  private static Stream<Path> filesOf(Path directory) {
    try {
      return directory.equals(Path.of("."))
          ? Files.list(directory).map(Path::normalize)
          : Files.walk(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void leadSomewhere(Path page) throws IOException {
    LINK.matcher(CODE.matcher(Files.readString(page)).replaceAll("``"))
        .results()
        .forEach(link -> assertLeadsSomewhere(page, link.group(1), link.group(2)));
  }

  private static void assertLeadsSomewhere(Path page, String path, String heading) {
    Path target = path.isEmpty() ? page : page.resolveSibling(path).normalize();
    assertThat(target).as("linked from %s: correct or remove the link", page).exists();
    if (heading != null) {
      assertThat(anchors(target))
          .as("headings of %s, linked from %s", target, page)
          .contains(heading);
    }
  }

  private static Set<String> anchors(Path page) {
    try {
      return HEADING
          .matcher(Files.readString(page))
          .results()
          .map(heading -> anchor(heading.group(1)))
          .collect(Collectors.toSet());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As GitHub makes them. */
  private static String anchor(String heading) {
    return heading.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-');
  }
}
