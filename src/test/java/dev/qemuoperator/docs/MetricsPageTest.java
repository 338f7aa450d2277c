package dev.qemuoperator.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.machine.ExportedMetrics;
import dev.qemuoperator.machine.ExportedMetrics.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The tables of docs/metrics.md have every metric of the operator as it is. */
class MetricsPageTest {

  private static final Path PAGE = Path.of("docs", "metrics.md");

  /** Name, type, labels. */
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `(\\w+)` \\| (\\w+) \\|([^|]*)\\|");

  @Test
  void tablesAreWhatIsExported() throws IOException {
    assertThat(documented())
        .as("%s has other metrics, types or labels than are exported: correct its tables", PAGE)
        .isEqualTo(new TreeMap<>(ExportedMetrics.read().families()));
  }

  private static Map<String, Family> documented() throws IOException {
    return ROW.matcher(Files.readString(PAGE))
        .results()
        .collect(
            Collectors.toMap(
                row -> row.group(1),
                row -> new Family(row.group(2), labels(row.group(3))),
                (a, b) -> a,
                TreeMap::new));
  }

  private static Set<String> labels(String cell) {
    return Arrays.stream(cell.split(","))
        .map(label -> label.replace("`", "").strip())
        .filter(label -> !label.isEmpty())
        .collect(Collectors.toSet());
  }
}
