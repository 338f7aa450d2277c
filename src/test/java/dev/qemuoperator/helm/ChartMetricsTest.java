package dev.qemuoperator.helm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.qemuoperator.helm.Chart.Rendered;
import dev.qemuoperator.machine.ExportedMetrics;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Service;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Dashboard and alerts ask for what the operator exports. */
class ChartMetricsTest {

  private static final String RULES = "metrics: {rules: {enabled: true}}";

  /** Their catalogue is a ConfigMap, too. */
  private static final String NO_IMAGES = "images: {manage: false}";

  private static final String DASHBOARD = "metrics: {dashboard: {enabled: true}}";

  /** What is no name of a metric in a query: matchers, ranges, lists of labels, calls, numbers. */
  private static final Pattern NO_METRIC =
      Pattern.compile(
          "\\{[^}]*}|\\[[^]]*]|\\w+ by \\([^)]*\\)|label_values\\(|, job\\)|\\w+\\s*\\(|\\b[\\d.]+\\b");

  private static final Pattern NAME = Pattern.compile("[a-zA-Z_]\\w*");
  private static final Pattern MATCHER = Pattern.compile("(\\w+)=~?\"([^\"]*)\"");
  private static final Pattern GROUPING = Pattern.compile("\\bby \\(([^)]*)\\)");

  /** What Prometheus adds to each series, and the buckets' own. */
  private static final Set<String> FOREIGN_LABELS = Set.of("namespace", "job", "le");

  private final ExportedMetrics exported = ExportedMetrics.read();

  @Test
  void nothingOfItIsThereUnlessAskedFor() {
    assertThat(Chart.render(NO_IMAGES).kinds()).doesNotContain("PrometheusRule", "ConfigMap");
    assertThat(Chart.render(NO_IMAGES, RULES).kinds())
        .contains("PrometheusRule")
        .doesNotContain("ConfigMap");
    assertThat(Chart.render(NO_IMAGES, DASHBOARD).kinds())
        .contains("ConfigMap")
        .doesNotContain("PrometheusRule");
  }

  @Test
  void queriesNameMetricsThatAreExported() {
    Set<String> known = new TreeSet<>(exported.series());
    known.add("up"); // Prometheus' own
    for (String query : queries()) {
      assertThat(metricsOf(query))
          .as(
              "«%s» names a metric that the operator does not export: correct the chart's"
                  + " dashboard or prometheusrule.yaml",
              query)
          .isNotEmpty()
          .isSubsetOf(known);
    }
  }

  @Test
  void queriesNameLabelsAndValuesThatAreExported() {
    for (String query : queries()) {
      GROUPING
          .matcher(query)
          .results()
          .flatMap(grouping -> Arrays.stream(grouping.group(1).split(", ")))
          .filter(label -> !FOREIGN_LABELS.contains(label))
          .forEach(label -> assertThat(exported.values()).as(query).containsKey(label));
      MATCHER
          .matcher(query)
          .results()
          .filter(matcher -> !FOREIGN_LABELS.contains(matcher.group(1)))
          .forEach(
              matcher ->
                  assertThat(exported.values().get(matcher.group(1)))
                      .as(query)
                      .contains(matcher.group(2).split("\\|")));
    }
  }

  @Test
  void everyMetricOfTheVmsIsOnTheDashboard() {
    Set<String> shown =
        dashboardQueries().stream()
            .flatMap(query -> metricsOf(query).stream())
            .map(name -> name.replaceAll("_(bucket|count)$", ""))
            .collect(Collectors.toSet());
    assertThat(exported.families().keySet())
        .filteredOn(name -> name.startsWith("qemu_operator_") && !name.endsWith("_max"))
        .as("show the new metric in files/dashboards/qemu-operator.json")
        .isSubsetOf(shown);
  }

  @Test
  void alertsAreAboutThisReleaseAlone() {
    Rendered chart = Chart.render(RULES);
    String job = chart.the(Service.class).getMetadata().getName();
    assertThat(rules(chart))
        .isNotEmpty()
        .allSatisfy(
            rule ->
                assertThat((String) rule.get("expr"))
                    .contains("{namespace=\"%s\", job=\"%s\"".formatted(Chart.NAMESPACE, job)));
  }

  @Test
  void alertsSayHowBadItIsAndWhatToDo() throws IOException {
    String page = Files.readString(Path.of("docs", "metrics.md"));
    for (Map<String, Object> rule : rules(Chart.render(RULES))) {
      String name = (String) rule.get("alert");
      assertThat(page).as("row of the alert in docs/metrics.md").contains("| `" + name + "` |");
      assertThat(map(rule.get("labels"))).as(name).containsKey("severity");
      assertThat(map(rule.get("annotations"))).as(name).containsKeys("summary", "description");
    }
  }

  @Test
  void alertsKeepTheTemplatesOfPrometheus() {
    assertThat(rules(Chart.render(RULES)).toString())
        .contains("{{ $value | humanizeDuration }}", "{{ $labels.cause }}");
  }

  @Test
  void labelsAreWhatPrometheusAndGrafanaSelectBy() {
    assertThat(
            Chart.render("metrics: {rules: {enabled: true, labels: {release: prometheus}}}")
                .the(GenericKubernetesResource.class)
                .getMetadata()
                .getLabels())
        .containsEntry("release", "prometheus");
    assertThat(Chart.render(NO_IMAGES, DASHBOARD).the(ConfigMap.class).getMetadata().getLabels())
        .containsEntry("grafana_dashboard", "1");
    assertThat(
            Chart.render(
                    NO_IMAGES,
                    "metrics: {dashboard: {enabled: true, annotations: {grafana_folder: VMs}}}")
                .the(ConfigMap.class)
                .getMetadata()
                .getAnnotations())
        .containsEntry("grafana_folder", "VMs");
  }

  @Test
  void panelsHaveNumbersAndPlacesOfTheirOwn() {
    List<JsonNode> panels = dashboard().findValues("gridPos");
    assertThat(panels).doesNotHaveDuplicates();
    assertThat(dashboard().path("panels").findValuesAsText("id")).doesNotHaveDuplicates();
  }

  private static Set<String> metricsOf(String query) {
    return NAME.matcher(NO_METRIC.matcher(query).replaceAll(" "))
        .results()
        .map(name -> name.group())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<String> queries() {
    return Stream.concat(
            rules(Chart.render(RULES)).stream().map(rule -> (String) rule.get("expr")),
            dashboardQueries().stream())
        .toList();
  }

  private static List<String> dashboardQueries() {
    JsonNode dashboard = dashboard();
    return Stream.concat(
            dashboard.findValuesAsText("expr").stream(),
            dashboard.path("templating").findValuesAsText("query").stream()
                .filter(query -> query.contains("(")))
        .toList();
  }

  private static JsonNode dashboard() {
    try {
      return new ObjectMapper()
          .readTree(
              Chart.render(NO_IMAGES, DASHBOARD)
                  .the(ConfigMap.class)
                  .getData()
                  .get("qemu-operator.json"));
    } catch (IOException e) {
      throw new AssertionError("the dashboard is no JSON", e);
    }
  }

  private static List<Map<String, Object>> rules(Rendered chart) {
    return chart.the(GenericKubernetesResource.class).get("spec", "groups", 0, "rules");
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object yaml) {
    return (Map<String, Object>) yaml;
  }
}
