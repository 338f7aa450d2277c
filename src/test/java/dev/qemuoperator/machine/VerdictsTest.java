package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.Conditions.Ready;
import dev.qemuoperator.api.Conditions.Running;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodSettings;
import dev.qemuoperator.pod.PodSettings.CacheLimits;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.status.ConditionList;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What scenarios do not reach: the API server's refusals, and every run state of QEMU. */
class VerdictsTest {

  private static final CertificateAuthority AUTHORITY =
      CertificateAuthority.generate(Clock.systemUTC());

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final Verdict REFUSED =
      Verdict.no(Accepted.REFUSED, "The API server refused: exceeded quota.");

  @Test
  void refusalOfTheApiServerIsTheReasonThatNothingRuns() {
    VirtualMachineStatus status = report(Optional.empty(), Optional.empty(), Optional.of(REFUSED));
    assertThat(condition(status, Accepted.TYPE).getReason()).isEqualTo(Accepted.REFUSED);
    assertThat(condition(status, Running.TYPE).getReason()).isEqualTo(Running.NOT_ACCEPTED);
    assertThat(condition(status, Running.TYPE).getMessage()).contains("exceeded quota");
    assertThat(condition(status, Ready.TYPE).getReason()).isEqualTo(Accepted.REFUSED);
    assertThat(status.state()).isEqualTo("Rejected");
  }

  @Test
  void refusalDoesNotHideAGuestThatRuns() {
    VirtualMachineStatus status = report(runningPod(), qmp("running"), Optional.of(REFUSED));
    assertThat(condition(status, Running.TYPE).getStatus()).isEqualTo("True");
    assertThat(condition(status, Ready.TYPE).getStatus()).isEqualTo("False");
    assertThat(status.state()).isEqualTo("Running");
  }

  @ParameterizedTest
  @CsvSource({
    "running, True, Running",
    "paused, False, Paused",
    "io-error, False, IOError",
    "shutdown, False, Restarting",
    "guest-panicked, False, Panicked",
    "prelaunch, False, Starting",
    "a-state-of-tomorrow, False, Paused",
  })
  void runStateOfQemuIsTheTruth(String runState, String running, String state) {
    VirtualMachineStatus status = report(runningPod(), qmp(runState), Optional.empty());
    assertThat(condition(status, Running.TYPE).getStatus()).isEqualTo(running);
    assertThat(status.state()).isEqualTo(state);
    assertThat(status.process().runState()).isEqualTo(runState);
  }

  @Test
  void observationThatIsNotConnectedShowsNothingOfTheProcess() {
    Observation lost = new Observation(Channel.LOST, NOON, "gone", null, Heard.NOTHING, "c1");
    VirtualMachineStatus status = report(runningPod(), Optional.of(lost), Optional.empty());
    assertThat(condition(status, Running.TYPE).getStatus()).isEqualTo("Unknown");
    assertThat(status.process().runState()).isNull();
    assertThat(status.process().accelerator()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"running", "paused", "shutdown"})
  void samePassTwiceGivesTheSameStatus(String runState) {
    VirtualMachine vm = vm();
    MachineInputs in = inputs(vm, runningPod(), qmp(runState));
    VirtualMachineStatus first = pass(in, Optional.empty(), NOON);
    vm.setStatus(first);
    assertThat(pass(in, Optional.empty(), NOON.plusSeconds(3600))).isEqualTo(first);
  }

  @Test
  void timesOfTheBootAreNeverNegative() {
    VirtualMachineStatus status =
        pass(inputs(vm(), runningPod(), qmp("running")), Optional.empty(), NOON.minusSeconds(9999));
    assertThat(status.bootTimings().ready()).isEqualTo("0s");
  }

  private static VirtualMachineStatus report(
      Optional<PodFacts> pod, Optional<Observation> qmp, Optional<Verdict> refused) {
    return pass(inputs(vm(), pod, qmp), refused, NOON);
  }

  private static VirtualMachineStatus pass(
      MachineInputs in, Optional<Verdict> refused, Instant now) {
    return MachineReport.of(
        in,
        MachineDecision.of(in),
        new Apply.Result(refused, false, Map.of(), Map.of()),
        wanted(in, now),
        now);
  }

  private static PodFacts wanted(MachineInputs in, Instant now) {
    return DesiredState.build(
            in,
            MachineDecision.of(in),
            new PodSettings("runner:1", "/cache", CacheLimits.NONE, "local"),
            AUTHORITY,
            Clock.fixed(now, ZoneOffset.UTC))
        .podFacts();
  }

  private static MachineInputs inputs(
      VirtualMachine vm, Optional<PodFacts> pod, Optional<Observation> qmp) {
    return Inputs.of(vm, pod, qmp);
  }

  private static VirtualMachine vm() {
    return ApiServerDefaults.virtualMachine(
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: web}
        spec:
          disks: [{name: root, source: {containerImage: {image: a}}, storage: {ephemeral: {}}}]
        """);
  }

  private static Optional<PodFacts> runningPod() {
    Pod pod =
        Serialization.unmarshal(
            """
                apiVersion: v1
                kind: Pod
                metadata: {creationTimestamp: "2026-01-01T11:59:00Z"}
                spec: {containers: [{name: qemu, image: runner}]}
                status:
                  phase: Running
                  containerStatuses:
                  - name: qemu
                    containerID: c1
                    restartCount: 0
                    state: {running: {startedAt: "2026-01-01T11:59:30Z"}}
                """,
            Pod.class);
    ObjectMeta made =
        wanted(inputs(vm(), Optional.empty(), Optional.empty()), NOON).pod().getMetadata();
    pod.getMetadata().setName(made.getName());
    pod.getMetadata().setLabels(made.getLabels());
    pod.getMetadata().setOwnerReferences(made.getOwnerReferences());
    return Optional.of(new PodFacts(pod));
  }

  private static Optional<Observation> qmp(String runState) {
    return Optional.of(
        new Observation(
            Channel.CONNECTED,
            NOON,
            null,
            QemuAnswers.in(runState, Map.of(), Map.of()),
            Heard.NOTHING,
            "c1"));
  }

  private static Condition condition(VirtualMachineStatus status, String type) {
    return ConditionList.find(status.conditions(), type).orElseThrow();
  }
}
