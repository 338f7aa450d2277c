package dev.qemuoperator.image;

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

  /**
   * The sum of a file; the strongest one if there are several.
   *
   * @param name without directories
   * @return {@code sha256:…} or {@code sha512:…}
   */
  Optional<String> sumOf(String name) {
    return Stream.concat(named(name), alone())
        .max((a, b) -> Integer.compare(a.length(), b.length()));
  }

  private Stream<String> named(String name) {
    return text.lines()
        .map(String::strip)
        .flatMap(line -> Stream.of(COREUTILS.matcher(line), BSD.matcher(line)))
        .filter(Matcher::matches)
        .filter(line -> fileName(line.group("name")).equals(name))
        .flatMap(line -> sum(line.group("hex")));
  }

  private Stream<String> alone() {
    return ALONE.matcher(text.strip()).matches() ? sum(text.strip()) : Stream.of();
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
