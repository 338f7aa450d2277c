package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.javaoperatorsdk.operator.api.config.BaseConfigurationService;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.Constants;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.RetryInfo;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.Controller;
import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import java.time.Clock;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the operator shows at /q/metrics of its VMs and its reconciler, after one pass that went
 * well and one that failed; without those of Quarkus and the JVM, and without the SDK's
 * events_received_total, whose labels depend on which event came first.
 *
 * @param families by name
 * @param series names of single series, such as …_bucket, as a query has them
 * @param values of each label
 */
public record ExportedMetrics(
    Map<String, Family> families, Set<String> series, Map<String, Set<String>> values) {

  /**
   * One metric.
   *
   * @param type counter, gauge or histogram
   * @param labels without le, which makes the buckets
   */
  public record Family(String type, Set<String> labels) {}

  private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (\\S+) (\\S+)$");
  private static final Pattern SAMPLE = Pattern.compile("(?m)^(\\w+)(?:\\{(.*)})? \\S+$");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"([^\"]*)\"");

  /** Reads them anew. */
  public static ExportedMetrics read() {
    return parse(scrape());
  }

  // the registry that Quarkus has, on a client library which its authors call old
  @SuppressWarnings("deprecation")
  private static String scrape() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    new MachineMetrics(registry, Clock.systemUTC());
    reconcile(new MachineBeans().metrics(registry));
    return registry.scrape();
  }

  private static void reconcile(Metrics metrics) {
    VirtualMachine vm = new VirtualMachine();
    Map<String, Object> metadata = Map.of(Constants.CONTROLLER_NAME, Idle.NAME);
    Idle reconciler = new Idle();
    try (KubernetesClient offline = new KubernetesClientBuilder().build()) {
      metrics.controllerRegistered(
          new Controller<>(
              reconciler, new BaseConfigurationService().getConfigurationFor(reconciler), offline));
      metrics.reconciliationSubmitted(vm, new SecondAttempt(), metadata);
      metrics.reconciliationSucceeded(vm, metadata);
      metrics.reconciliationFailed(vm, null, new IllegalStateException(), metadata);
    }
  }

  private static ExportedMetrics parse(String text) {
    Map<String, Family> families = new TreeMap<>();
    Set<String> series = new TreeSet<>();
    Map<String, Set<String>> values = new TreeMap<>();
    Matcher type = TYPE.matcher(text);
    while (type.find()) {
      families.put(type.group(1), new Family(type.group(2), new TreeSet<>()));
    }
    Matcher sample = SAMPLE.matcher(text);
    while (sample.find()) {
      series.add(sample.group(1));
      Family family = familyOf(sample.group(1), families);
      Matcher label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
      while (label.find()) {
        if (!label.group(1).equals("le")) {
          family.labels().add(label.group(1));
          values.computeIfAbsent(label.group(1), name -> new TreeSet<>()).add(label.group(2));
        }
      }
    }
    return new ExportedMetrics(families, series, values);
  }

  private static Family familyOf(String series, Map<String, Family> families) {
    String family =
        families.containsKey(series) ? series : series.replaceAll("_(bucket|count|sum)$", "");
    return families.get(family);
  }

  private static final class SecondAttempt implements RetryInfo {
    @Override
    public int getAttemptCount() {
      return 1;
    }

    @Override
    public boolean isLastAttempt() {
      return false;
    }
  }

  /** The reconciler's name, and nothing of its work. */
  @ControllerConfiguration(name = Idle.NAME)
  private static final class Idle implements Reconciler<VirtualMachine> {
    private static final String NAME = VirtualMachineReconciler.NAME;

    @Override
    public UpdateControl<VirtualMachine> reconcile(
        VirtualMachine vm, Context<VirtualMachine> context) {
      return UpdateControl.noUpdate();
    }
  }
}
