package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What Prometheus reads of the installed operator, through a boot, an exit and a deletion. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MetricsE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final String STARTS =
      "qemu_operator_start_duration_seconds_count{stage=\"ready\"}";
  private static final String PANICS = "qemu_operator_exits_total{cause=\"GuestPanic\"}";
  private static final String CONNECTIONS = "qemu_operator_qmp_connections";
  private static final String RUNNING = "qemu_operator_virtual_machines{state=\"Running\"}";

  private static final Pattern SAMPLE = Pattern.compile("(?m)^(\\w+(?:\\{[^}]*})?) (\\S+)$");

  private static Vm vm;

  @BeforeAll
  static void install() {
    Installation.get().awaitReady();
    Awaitility.await("what earlier tests have left is gone")
        .atMost(Duration.ofMinutes(3))
        .until(() -> virtualMachines() == 0);
  }

  @Test
  @Order(0)
  void vmsThatAreDeletedInTheMiddleOfAPassAreNotCounted() {
    String manifests =
        IntStream.range(0, 30)
            .mapToObj(i -> Vm.tinyManifest("short-" + i, "unused", "runStrategy: Halted"))
            .collect(Collectors.joining("---\n"));
    for (int round = 0; round < 3; round++) {
      Vm.apply(NAMESPACE.name(), manifests);
      Cluster.get()
          .kubectl("delete", "qvm", "--all", "-n", NAMESPACE.name(), "--wait=false")
          .text();
    }
    soon("qemu_operator_virtual_machines{state=\"Halted\"}", 0);
  }

  @Test
  @Order(1)
  void bootIsCountedOnceAndTheVmIsRunning() {
    double starts = value(STARTS);
    vm = Vm.tiny(NAMESPACE.name(), "metered");
    vm.awaitReady();
    soon(STARTS, starts + 1);
    soon(RUNNING, 1);
    soon(CONNECTIONS, 1);
    soon("qemu_operator_longest_unready_seconds", 0);
  }

  @Test
  @Order(2)
  void exitIsCountedOnce() {
    double panics = value(PANICS);
    double starts = value(STARTS);
    vm.runLast("echo c > /proc/sysrq-trigger");
    vm.awaitExit("GuestPanic", Vm.BOOT);
    vm.awaitReady();
    soon(PANICS, panics + 1);
    soon(CONNECTIONS, 1);
    assertThat(value(STARTS)).as("a start in the same pod").isEqualTo(starts);
  }

  @Test
  @Order(3)
  void startedOperatorKnowsItsVmsAndCountsNothingOfThePast() {
    Installation.get().kill();
    Installation.get().awaitReady();
    soon(RUNNING, 1);
    soon(CONNECTIONS, 1);
    assertThat(value(PANICS)).isZero();
    assertThat(value(STARTS)).isZero();
  }

  @Test
  @Order(4)
  void reconcilerIsMeasuredByTheSdk() {
    assertThat(value("reconciliations_success_total{controller_name=\"virtualmachine\"}"))
        .isPositive();
    assertThat(value("custom_resources{controller_name=\"virtualmachine\"}")).isEqualTo(1);
  }

  @Test
  @Order(5)
  void deletedVmIsNotCounted() {
    vm.delete();
    soon(RUNNING, 0);
    soon(CONNECTIONS, 0);
    soon("qemu_operator_virtual_machines{state=\"Stopping\"}", 0);
  }

  private static void soon(String series, double expected) {
    Awaitility.await(series + " is " + expected)
        .atMost(Duration.ofMinutes(1))
        .pollInterval(Duration.ofMillis(500))
        .ignoreExceptions() // while the operator is being replaced
        .untilAsserted(() -> assertThat(value(series)).isEqualTo(expected));
  }

  private static double value(String series) {
    Matcher sample = SAMPLE.matcher(scrape());
    while (sample.find()) {
      // one of the two formats that a registry may answer with ends a list of labels with a comma
      if (sample.group(1).replace(",}", "}").equals(series)) {
        return Double.parseDouble(sample.group(2));
      }
    }
    throw new AssertionError("/q/metrics has no " + series);
  }

  /** Of the one replica that has not been asked to end. */
  private static String scrape() {
    String pod =
        Installation.get().pods().list().getItems().stream()
            .filter(found -> found.getMetadata().getDeletionTimestamp() == null)
            .map(found -> found.getMetadata().getName())
            .findFirst()
            .orElseThrow();
    return Cluster.get()
        .client()
        .raw(
            "/api/v1/namespaces/%s/pods/%s:8080/proxy/q/metrics"
                .formatted(Installation.NAMESPACE, pod));
  }

  private static int virtualMachines() {
    return Cluster.get()
        .client()
        .resources(VirtualMachine.class)
        .inAnyNamespace()
        .list()
        .getItems()
        .size();
  }
}
