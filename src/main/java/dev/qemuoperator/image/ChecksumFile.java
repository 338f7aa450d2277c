package dev.qemuoperator.image;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file of sums as projects publish it, such as SHA256SUMS of Ubuntu, SHA512SUMS of Debian, the
 * signed CHECKSUM of Fedora, or the .sha512 of Alpine beside each image.
 *
 * <p>Source: the manuals of sha256sum(1) and of BSD's sha256(1).
 */
record ChecksumFile(String text) {

  /** {@code <hex> <name>}, with a star before the name of a file read as binary. */
  private static final Pattern COREUTILS =
      Pattern.compile("(?<hex>[0-9A-Fa-f]+)[ \\t]+\\*?(?<name>\\S.*)");

  /** {@code SHA256 (<name>) = <hex>}. */
  private static final Pattern BSD =
      Pattern.compile("SHA(?:256|512) ?\\((?<name>.+)\\) ?= ?(?<hex>[0-9A-Fa-f]+)");

  /** A file about one image need not name it. */
  private static final Pattern ALONE = Pattern.compile("[0-9A-Fa-f]+");

  private record Line(String name, String sum) {}

  /**
   * The sum of a file; the strongest one if there are several kinds.
   *
   * @param path of its URL, whose end tells files of the same name in different folders apart
   * @return {@code sha256:…} or {@code sha512:…}; empty if there is none, or no one can tell which
   */
  Optional<String> sumOf(String path) {
    List<Line> lines = lines().toList();
    List<String> inFolder = strongest(lines.stream().filter(line -> ends(path, line.name())));
    List<String> sums =
        inFolder.isEmpty()
            ? strongest(
                Stream.concat(
                    lines.stream().filter(line -> fileName(line.name()).equals(fileName(path))),
                    alone()))
            : inFolder;
    return sums.size() == 1 ? Optional.of(sums.getFirst()) : Optional.empty();
  }

  /** Of the longest kind, each once. */
  private static List<String> strongest(Stream<Line> lines) {
    List<String> sums = lines.map(Line::sum).distinct().toList();
    int longest = sums.stream().map(String::length).max(Comparator.naturalOrder()).orElse(0);
    return sums.stream().filter(sum -> sum.length() == longest).toList();
  }

  private Stream<Line> lines() {
    return text.lines()
        .map(String::strip)
        .flatMap(line -> Stream.of(COREUTILS.matcher(line), BSD.matcher(line)))
        .filter(Matcher::matches)
        .flatMap(
            line ->
                sum(line.group("hex"))
                    .map(sum -> new Line(line.group("name").replaceFirst("^\\./", ""), sum)));
  }

  private Stream<Line> alone() {
    return ALONE.matcher(text.strip()).matches()
        ? sum(text.strip()).map(sum -> new Line("", sum))
        : Stream.of();
  }

  private static boolean ends(String path, String name) {
    return name.contains("/") && path.endsWith("/" + name);
  }

  private static String fileName(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** Told by its length; MD5 and SHA-1 are no proof any more. */
  private static Stream<String> sum(String hex) {
    String digits = hex.toLowerCase(Locale.ROOT);
    return switch (hex.length()) {
      case 64 -> Stream.of("sha256:" + digits);
      case 128 -> Stream.of("sha512:" + digits);
      default -> Stream.of();
    };
  }
}
