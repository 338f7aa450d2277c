package dev.qemuoperator.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The troubleshooting table speaks of reasons that exist. */
class UserGuideTest {

  private static final Pattern ROW = Pattern.compile("(?m)^\\| \\w+ `(\\w+)` \\|");

  @Test
  void troubleshootingNamesReasonsOfTheApi() throws IOException {
    List<String> reasons =
        DocumentedConditions.parse(
                Files.readString(Path.of("src/main/java/dev/qemuoperator/api/Conditions.java")))
            .reasons();
    List<String> named =
        ROW.matcher(Files.readString(Path.of("docs", "user-guide.md")))
            .results()
            .map(row -> row.group(1))
            .toList();

    assertThat(named)
        .as("reasons of docs/user-guide.md; those of api/Conditions.java count")
        .isNotEmpty()
        .isSubsetOf(reasons);
  }
}
