package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.Conditions.Ready;
import dev.qemuoperator.api.Statuses;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.BootTimings;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.api.VirtualMachineStatus.Process;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MachineMetricsTest {

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final MachineMetrics metrics =
      new MachineMetrics(registry, Clock.fixed(NOON, ZoneOffset.UTC));

  // ---- virtual machines by state

  @Test
  void vmIsCountedInTheStateThatItIsInNow() {
    metrics.observe(vm("web"), inState("Starting"));
    metrics.observe(vm("db"), inState("Running"));
    metrics.observe(vm("web"), inState("Running"));

    assertThat(inStateNow("Running")).isEqualTo(2);
    assertThat(inStateNow("Starting")).as("a state that no VM has").isZero();
  }

  @Test
  void deletedVmIsNotCounted() {
    metrics.observe(vm("web"), inState("Running"));
    metrics.forget(vm("web"));
    assertThat(inStateNow("Running")).isZero();
  }

  @Test
  void vmOfTheSameNameInAnotherNamespaceIsAnotherOne() {
    VirtualMachine other = vm("web");
    other.getMetadata().setNamespace("lab");
    metrics.observe(vm("web"), inState("Running"));
    metrics.observe(other, inState("Running"));
    metrics.forget(other);
    assertThat(inStateNow("Running")).isEqualTo(1);
  }

  @Test
  void everyStateIsExportedFromTheStart() {
    for (String state : MachineMetrics.STATES) {
      assertThat(inStateNow(state)).as(state).isZero();
    }
  }

  @Test
  void statesAreThoseThatTheReportGives() throws IOException {
    Set<String> given = new TreeSet<>();
    for (String story : ScenariosTest.stories()) {
      Path status = Scenario.ROOT.resolve(story).resolve("out-status.yaml");
      given.add(new YAMLMapper().readTree(status.toFile()).path("state").asText());
    }
    assertThat(MachineMetrics.STATES)
        .as("MachineReport gives a state that is not in MachineMetrics.STATES: add it there")
        .containsAll(given);
  }

  @Test
  void causesAreThoseOfTheApi() throws NoSuchFieldException {
    String documented =
        LastExit.class
            .getDeclaredField("cause")
            .getAnnotation(JsonPropertyDescription.class)
            .value();
    assertThat(MachineMetrics.CAUSES)
        .as("LastExit.cause documents other causes than MachineMetrics.CAUSES has")
        .containsExactlyInAnyOrder(documented.replace(".", "").split(", | or "));
  }

  // ---- exits

  @Test
  void exitIsCountedOnce() {
    VirtualMachineStatus ended =
        withExit(new LastExit("GuestPanic", 1, noonPlus(0), "", null, null));
    metrics.observe(vm("web"), ended);
    metrics.observe(vm("web"), ended);
    assertThat(exits("GuestPanic")).isEqualTo(1);
  }

  @Test
  void exitThatThePodConfirmsIsTheSameOne() {
    metrics.observe(
        vm("web"), withExit(new LastExit("GuestShutdown", null, noonPlus(0), "", null, null)));
    metrics.observe(
        vm("web"), withExit(new LastExit("GuestShutdown", 0, noonPlus(1), "", null, null)));
    assertThat(exits("GuestShutdown")).isEqualTo(1);
  }

  @Test
  void exitWhoseCauseIsKnownBetterAMomentLaterIsTheSameOne() {
    metrics.observe(
        vm("web"), withExit(new LastExit("Requested", null, noonPlus(0), "", null, null)));
    metrics.observe(vm("web"), withExit(new LastExit("IOError", 0, noonPlus(1), "", null, null)));
    assertThat(exits("Requested") + exits("IOError")).isEqualTo(1);
  }

  @Test
  void eachExitOfALoopIsCounted() {
    metrics.observe(vm("web"), withExit(new LastExit("QemuError", 1, noonPlus(0), "", null, null)));
    metrics.observe(
        vm("web"), withExit(new LastExit("QemuError", 1, noonPlus(20), "", null, null)));
    assertThat(exits("QemuError")).isEqualTo(2);
  }

  @Test
  void startedOperatorCountsNothingThatItsPredecessorHasTold() {
    VirtualMachineStatus told =
        status(
            "Running",
            process(0, 0),
            new BootTimings("0s", "2s", "3s", "9s"),
            new LastExit("GuestPanic", 1, noonPlus(0), "", null, null));
    metrics.observe(vm("web", told), told);
    assertThat(exits("GuestPanic")).isZero();
    assertThat(starts("ready")).isZero();
  }

  @Test
  void startedOperatorCountsWhatHappenedMeanwhile() {
    VirtualMachineStatus told =
        withExit(new LastExit("GuestShutdown", 0, noonPlus(0), "", null, null));
    metrics.observe(
        vm("web", told), withExit(new LastExit("GuestPanic", 1, noonPlus(60), "", null, null)));
    assertThat(exits("GuestPanic")).isEqualTo(1);
    assertThat(exits("GuestShutdown")).isZero();
  }

  @Test
  void passThatIsRepeatedBecauseItsWriteFailedCountsNothingTwice() {
    VirtualMachineStatus inCluster = inState("Starting");
    VirtualMachineStatus now =
        status(
            "Restarting",
            process(0, 0),
            new BootTimings("0s", "2s", "3s", null),
            new LastExit("GuestPanic", 1, noonPlus(9), "", null, null));
    metrics.observe(vm("web", inCluster), now);
    metrics.observe(vm("web", inCluster), now);
    assertThat(exits("GuestPanic")).isEqualTo(1);
    assertThat(starts("process_started")).isEqualTo(1);
  }

  // ---- start durations

  @Test
  void stageIsObservedWhenTheStatusGetsIt() {
    metrics.observe(vm("web"), booting(0, new BootTimings("0s", "2s", "3s", null)));
    assertThat(starts("scheduled")).isEqualTo(1);
    assertThat(starts("disks_ready")).isEqualTo(1);
    assertThat(starts("process_started")).isEqualTo(1);
    assertThat(starts("ready")).isZero();

    metrics.observe(vm("web"), booting(0, new BootTimings("0s", "2s", "3s", "1.5s")));
    metrics.observe(vm("web"), booting(0, new BootTimings("0s", "2s", "3s", "1.5s")));
    assertThat(starts("process_started")).isEqualTo(1);
    assertThat(starts("ready")).isEqualTo(1);
    assertThat(start("ready").totalTime(TimeUnit.MILLISECONDS)).isEqualTo(1500);
    assertThat(start("disks_ready").totalTime(TimeUnit.SECONDS)).isEqualTo(2);
  }

  @Test
  void nextPodIsAnotherBoot() {
    metrics.observe(vm("web"), booting(0, new BootTimings("0s", "2s", "3s", "9s")));
    metrics.observe(vm("web"), inState("Starting"));
    metrics.observe(vm("web"), booting(60, new BootTimings("0s", "2s", "3s", "9s")));
    assertThat(starts("ready")).isEqualTo(2);
  }

  @Test
  void nextPodIsAnotherBootEvenIfNobodySawTheVmWithoutOne() {
    metrics.observe(vm("web"), booting(0, new BootTimings("0s", "2s", "3s", "9s")));
    metrics.observe(vm("web"), booting(60, new BootTimings("0s", "2s", "3s", "9s")));
    assertThat(starts("scheduled")).isEqualTo(2);
    assertThat(starts("ready")).isEqualTo(2);
  }

  @Test
  void startInTheSamePodIsNoBootFromThePodsCreation() {
    metrics.observe(vm("web"), booting(0, new BootTimings("0s", "2s", "3s", "9s")));
    // as the report has it: the process has ended, then it runs again
    BootTimings ofThePod = new BootTimings("0s", "2s", null, null);
    metrics.observe(
        vm("web"),
        status("Restarting", new Process(null, null, null, null, 0, null, null), ofThePod, null));
    metrics.observe(vm("web"), status("Running", process(60, 1), ofThePod, null));
    assertThat(starts("scheduled")).isEqualTo(1);
    assertThat(starts("process_started")).isEqualTo(1);
    assertThat(starts("ready")).isEqualTo(1);
  }

  // ---- not ready

  @Test
  void vmThatIsNotReadyForTheLongestTimeDecides() {
    metrics.observe(vm("web"), ready("Running", "False", -600));
    metrics.observe(vm("db"), ready("Unknown", "Unknown", -60));
    metrics.observe(vm("ok"), ready("Running", "True", -6000));
    assertThat(longestUnready()).isEqualTo(600);

    metrics.observe(vm("web"), ready("Running", "True", 0));
    assertThat(longestUnready()).isEqualTo(60);

    metrics.forget(vm("db"));
    assertThat(longestUnready()).isZero();
  }

  @Test
  void flipFromFalseToUnknownDoesNotBeginAnew() {
    metrics.observe(vm("web"), ready("Running", "False", -600));
    metrics.observe(vm("web"), ready("Unknown", "Unknown", -10));
    assertThat(longestUnready()).isEqualTo(600);
  }

  @Test
  void vmThatIsMeantNotToBeReadyDoesNotCount() {
    metrics.observe(vm("paused"), ready("Paused", "False", -600));
    metrics.observe(
        vm("suspended"),
        with(
            "Running",
            condition(Ready.TYPE, "False", Accepted.SUSPENDED, -600),
            condition(Accepted.TYPE, "False", Accepted.SUSPENDED, -600)));
    assertThat(longestUnready()).isZero();
  }

  // ---- connections

  @Test
  void connectionsAreThoseThatAreOpen() {
    metrics.opened();
    metrics.opened();
    metrics.closed(true);
    assertThat(registry.get("qemu.operator.qmp.connections").gauge().value()).isEqualTo(1);
    metrics.closed(false);
    assertThat(registry.get("qemu.operator.qmp.connections").gauge().value()).isZero();
    assertThat(registry.get("qemu.operator.qmp.connection.losses").counter().count()).isEqualTo(1);
  }

  private double inStateNow(String state) {
    return registry.get("qemu.operator.virtual.machines").tag("state", state).gauge().value();
  }

  private double exits(String cause) {
    return registry.get("qemu.operator.exits").tag("cause", cause).counter().count();
  }

  private long starts(String stage) {
    return start(stage).count();
  }

  private Timer start(String stage) {
    return registry.get("qemu.operator.start.duration").tag("stage", stage).timer();
  }

  private double longestUnready() {
    return registry.get("qemu.operator.longest.unready").gauge().value();
  }

  private static VirtualMachine vm(String name) {
    return vm(name, null);
  }

  private static VirtualMachine vm(String name, VirtualMachineStatus inCluster) {
    VirtualMachine vm = new VirtualMachine();
    vm.setMetadata(
        new ObjectMetaBuilder().withNamespace("default").withName(name).withUid(name).build());
    vm.setStatus(inCluster);
    return vm;
  }

  private static VirtualMachineStatus inState(String state) {
    return status(state, null, null, null);
  }

  private static VirtualMachineStatus withExit(LastExit exit) {
    return status("Restarting", null, null, exit);
  }

  private static VirtualMachineStatus booting(int startedAt, BootTimings timings) {
    return status("Running", process(startedAt, 0), timings, null);
  }

  private static VirtualMachineStatus ready(String state, String status, int since) {
    return with(state, condition(Ready.TYPE, status, state, since));
  }

  private static VirtualMachineStatus with(String state, Condition... conditions) {
    return status(state, null, null, null, conditions);
  }

  private static Process process(int startedAt, int restarts) {
    return new Process("running", noonPlus(startedAt), "KVM", "10.0.13", restarts, null, null);
  }

  private static String noonPlus(int seconds) {
    return NOON.plusSeconds(seconds).toString();
  }

  private static Condition condition(String type, String status, String reason, int since) {
    return new ConditionBuilder()
        .withType(type)
        .withStatus(status)
        .withReason(reason)
        .withLastTransitionTime(noonPlus(since))
        .build();
  }

  private static VirtualMachineStatus status(
      String state, Process process, BootTimings timings, LastExit exit, Condition... conditions) {
    return Statuses.EMPTY.in(state).with(process).with(timings).with(exit).of(conditions);
  }
}
