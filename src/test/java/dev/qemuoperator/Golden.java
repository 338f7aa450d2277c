package dev.qemuoperator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that hold what a test expects; {@code ./test unit --update} rewrites them. */
public final class Golden {

  private static final boolean UPDATE = Boolean.getBoolean("golden.update");

  private Golden() {}

  /** The file has this text, or is given it in an update. */
  public static void assertMatches(Path file, String actual) {
    try {
      if (UPDATE) {
        Files.createDirectories(file.getParent());
        Files.writeString(file, actual);
      }
      assertThat(file)
          .as("%s is missing: run ./test unit --update, and read what it wrote", file)
          .exists();
      assertThat(actual)
          .as("%s is out of date: if the difference is meant, run ./test unit --update", file)
          .isEqualTo(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether expected files are being rewritten. */
  public static boolean isUpdating() {
    return UPDATE;
  }
}
