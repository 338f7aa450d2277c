package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** When nothing changes, the operator writes nothing; counted by the API server itself. */
class IdleE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final Duration WATCHED = Duration.ofSeconds(30);

  /** Written by nobody in an idle cluster but by an operator that is not idle. */
  private static final Pattern WRITES =
      Pattern.compile(
          "apiserver_request_total\\{(?=[^}]*verb=\"(?:POST|PUT|PATCH|APPLY|DELETE)\")"
              + "(?=[^}]*resource=\"(virtualmachines|pods|persistentvolumeclaims|secrets|services)\")"
              + "[^}]*} (\\S+)");

  @Test
  void idleOperatorWritesNothing() {
    Installation.get();
    Vm vm = Vm.tiny(NAMESPACE.name(), "idle");
    vm.awaitReady();
    vm.await(
        "self-contained",
        Duration.ofMinutes(3),
        status -> status.disks().getFirst().selfContained());
    Awaitility.await("what earlier tests made is gone")
        .atMost(Duration.ofMinutes(2))
        .until(
            () ->
                Cluster.get().client().namespaces().list().getItems().stream()
                    .noneMatch(one -> one.getMetadata().getDeletionTimestamp() != null));
    // the last words of the start: events, status of the pod
    Awaitility.await("quiet")
        .atMost(Duration.ofMinutes(2))
        .until(() -> isQuiet(Duration.ofSeconds(8)));

    Map<String, Double> before = writes();
    String version = vm.resource().get().getMetadata().getResourceVersion();
    pause(WATCHED);
    assertThat(writes()).isEqualTo(before);
    assertThat(vm.resource().get().getMetadata().getResourceVersion()).isEqualTo(version);

    vm.qmp("stop");
    vm.awaitCondition("Running", "False", "Paused", Vm.TOLD);
    assertThat(writes()).as("the counter counts").isNotEqualTo(before);
    vm.resource().delete();
  }

  private static boolean isQuiet(Duration time) {
    Map<String, Double> before = writes();
    pause(time);
    return writes().equals(before);
  }

  private static Map<String, Double> writes() {
    Map<String, Double> counts = new TreeMap<>();
    Matcher line = WRITES.matcher(Cluster.get().client().raw("/metrics"));
    while (line.find()) {
      counts.merge(line.group(1), Double.valueOf(line.group(2)), Double::sum);
    }
    return counts;
  }

  /** Nothing to wait for: the test is that nothing comes. */
  private static void pause(Duration time) {
    Awaitility.await().pollDelay(time).atMost(time.plusSeconds(5)).until(() -> true);
  }
}
