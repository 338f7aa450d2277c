package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The operator may die at any moment: guests run on, and the next start reads everything back. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OperatorFailureE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  /** Steps of a start, by what can be seen of them from outside. */
  enum Step {
    ACCEPTED(vm -> vm.resource().get() != null),
    CLAIM_MADE(vm -> claimExists(vm)),
    POD_MADE(vm -> vm.pod().get() != null),
    IMAGE_COMES(
        vm -> pod(vm).anyMatch(pod -> !pod.getStatus().getInitContainerStatuses().isEmpty())),
    QEMU_STARTED(
        vm ->
            pod(vm)
                .flatMap(pod -> pod.getStatus().getContainerStatuses().stream())
                .anyMatch(status -> status.getState().getRunning() != null));

    private final Predicate<Vm> reached;

    Step(Predicate<Vm> reached) {
      this.reached = reached;
    }

    private static Stream<Pod> pod(Vm vm) {
      return Stream.ofNullable(vm.pod().get());
    }

    private static boolean claimExists(Vm vm) {
      return Cluster.get()
              .client()
              .persistentVolumeClaims()
              .inNamespace(vm.namespace())
              .withName(vm.name() + "-root")
              .get()
          != null;
    }
  }

  /** A lease of 15 s must run out, and be looked at. */
  private static final Duration TAKE_OVER = Duration.ofSeconds(40);

  private static final Duration AWAY = Duration.ofMinutes(2);

  private static Installation operator;
  private static Vm bystander;

  @BeforeAll
  static void install() {
    operator = Installation.get();
    bystander = Vm.tiny(NAMESPACE.name(), "bystander");
    bystander.awaitReady();
  }

  @ParameterizedTest
  @EnumSource(Step.class)
  @Order(1)
  void startGoesOnWhenTheOperatorIsKilledInItsMiddle(Step step) {
    Vm vm = Vm.tiny(NAMESPACE.name(), "killed-at-" + step.name().toLowerCase().replace('_', '-'));
    Awaitility.await(step.name())
        .atMost(Duration.ofMinutes(1))
        .pollInterval(Duration.ofMillis(50))
        .until(() -> step.reached.test(vm));
    operator.kill();
    vm.awaitReady();
    assertThat(vm.boots()).as("it was started once").isEqualTo(1);
    vm.resource().delete();
  }

  @Test
  @Order(2)
  void guestRunsOnWhileTheOperatorIsKilledAgainAndAgain() {
    double uptime = bystander.uptime();
    operator.kill();
    operator.awaitReady();
    bystander.awaitReady();
    assertThat(bystander.uptime()).isGreaterThan(uptime);
    assertThat(bystander.boots()).isEqualTo(1);
    assertThat(bystander.livePod().getStatus().getContainerStatuses().getFirst().getRestartCount())
        .isZero();
  }

  @Test
  @Order(3)
  void whatHappenedInMinutesWithoutAnOperatorIsToldAfterwards() {
    Vm rebooted = Vm.tiny(NAMESPACE.name(), "rebooted");
    Vm poweredOff = Vm.tiny(NAMESPACE.name(), "powered-off", "runStrategy: RerunOnFailure");
    Vm halted = Vm.tiny(NAMESPACE.name(), "halted-meanwhile");
    List.of(rebooted, poweredOff, halted).forEach(Vm::awaitReady);
    String pod = rebooted.podUid();
    scale(0);
    Instant away = Instant.now();
    bystander.runLast("echo c > /proc/sysrq-trigger");
    poweredOff.runLast("poweroff -f");
    rebooted.runLast("reboot -f");
    halted.setRunStrategy("Halted");
    Awaitility.await("the kubelet has started the guest again")
        .atMost(Vm.BOOT)
        .until(
            () ->
                bystander.livePod().getStatus().getContainerStatuses().getFirst().getRestartCount()
                    > 0);
    Awaitility.await("minutes pass")
        .atMost(AWAY.multipliedBy(2))
        .until(() -> Instant.now().isAfter(away.plus(AWAY)));
    assertThat(rebooted.boots()).as("guests live without an operator").isEqualTo(2);

    scale(1);
    operator.awaitReady();
    bystander.awaitExit("GuestPanic", Duration.ofMinutes(1));
    bystander.awaitReady();
    VirtualMachineStatus off =
        poweredOff.awaitCondition("Running", "False", "Stopped", Duration.ofMinutes(1));
    assertThat(off.lastExit().cause()).isEqualTo("GuestShutdown");
    assertThat(Instant.parse(off.lastExit().at()))
        .as("when it happened, not when it was read")
        .isBefore(away.plus(AWAY.dividedBy(2)));
    halted.awaitCondition("Running", "False", "Halted", Duration.ofMinutes(1));
    VirtualMachineStatus running = rebooted.awaitReady();
    assertThat(running.process().restarts()).as("a reboot stays inside QEMU").isZero();
    assertThat(rebooted.podUid()).isEqualTo(pod);
    List.of(rebooted, poweredOff, halted).forEach(vm -> vm.resource().delete());
  }

  @Test
  @Order(4)
  void anotherReplicaTakesOverFromALeaderThatIsGone() {
    scale(2);
    try {
      double uptime = bystander.uptime();
      String leader = leader();
      Cluster.get()
          .client()
          .pods()
          .inNamespace(Installation.NAMESPACE)
          .withName(leader)
          .withGracePeriod(0)
          .delete();
      bystander.qmp("stop");
      bystander.awaitCondition("Running", "False", "Paused", TAKE_OVER);
      assertThat(leader()).isNotEqualTo(leader);
      bystander.qmp("cont");
      bystander.awaitReady();
      assertThat(bystander.uptime()).isGreaterThan(uptime);
    } finally {
      scale(1);
    }
  }

  @Test
  @Order(5)
  void guestThatLostItsVmIsToldOfByEachOperatorAndLeftAlone() {
    double uptime = bystander.uptime();
    int boots = bystander.boots();
    Cluster.get()
        .kubectl("delete", "qvm", bystander.name(), "-n", bystander.namespace(), "--cascade=orphan")
        .text();
    awaitOrphanEvents(1);
    operator.kill();
    awaitOrphanEvents(2);

    Vm successor = Vm.tiny(NAMESPACE.name(), bystander.name(), "paused: true");
    VirtualMachineStatus refused =
        successor.awaitCondition("Accepted", "False", "NameTaken", TAKE_OVER);
    assertThat(ConditionList.find(refused.conditions(), "Accepted").orElseThrow().getMessage())
        .contains("--cascade=orphan", "kubectl delete pod,service,secret -l");
    assertThat(successor.uptime())
        .as("the guest is not the successor's to pause")
        .isGreaterThan(uptime);
    successor.patch("{\"spec\":{\"paused\":false}}");

    Cluster.get()
        .kubectl(
            "delete",
            "pod,service,secret",
            "-l",
            "qemu-operator.dev/vm=" + successor.name(),
            "-n",
            successor.namespace())
        .text();
    successor.awaitReady();
    assertThat(successor.boots()).as("its disk is taken up").isEqualTo(boots + 1);
  }

  private static void awaitOrphanEvents(int count) {
    Awaitility.await(count + " events of the orphan")
        .atMost(TAKE_OVER)
        .until(
            () ->
                Cluster.get()
                        .client()
                        .events()
                        .v1()
                        .events()
                        .inNamespace(NAMESPACE.name())
                        .list()
                        .getItems()
                        .stream()
                        .filter(event -> "Pod".equals(event.getRegarding().getKind()))
                        .filter(event -> "Orphaned".equals(event.getReason()))
                        .count()
                    == count);
  }

  private static void scale(int replicas) {
    Cluster.get()
        .kubectl(
            "scale",
            "deployment",
            "qemu-operator",
            "-n",
            Installation.NAMESPACE,
            "--replicas=" + replicas)
        .text();
    Awaitility.await(replicas + " replicas")
        .atMost(Duration.ofMinutes(2))
        .until(() -> operator.pods().list().getItems(), pods -> areAll(pods, replicas));
  }

  /** And none that is about to end: it would still act. */
  private static boolean areAll(List<Pod> pods, int replicas) {
    return pods.size() == replicas && pods.stream().allMatch(pod -> new PodFacts(pod).isReady());
  }

  private static String leader() {
    return Cluster.get()
        .client()
        .leases()
        .inNamespace(Installation.NAMESPACE)
        .withName("qemu-operator")
        .require()
        .getSpec()
        .getHolderIdentity();
  }
}
