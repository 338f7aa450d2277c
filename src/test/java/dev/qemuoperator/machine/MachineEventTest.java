package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.api.Conditions.Running;
import dev.qemuoperator.api.Statuses;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MachineEventTest {

  private static final Condition RUNS = condition(Running.TYPE, "True", Running.RUNNING);
  private static final Condition RESTARTS = condition(Running.TYPE, "False", Running.RESTARTING);
  private static final String NOON = "2026-01-01T12:00:00Z";

  @Test
  void changeIsToldOnce() {
    VirtualMachineStatus now = status(null, RUNS);
    assertThat(MachineEvent.between(Optional.empty(), now))
        .containsExactly(new MachineEvent(false, "Running", "message"));
    assertThat(MachineEvent.between(Optional.of(now), now)).isEmpty();
  }

  @Test
  void otherMessageOfTheSameReasonIsNoNews() {
    Condition ten = condition(DisksReady.TYPE, "False", DisksReady.FETCHING);
    Condition twenty = new ConditionBuilder(ten).withMessage("20 %").build();
    assertThat(MachineEvent.between(Optional.of(status(null, ten)), status(null, twenty)))
        .isEmpty();
  }

  @Test
  void exitAndRestartAreOneThing() {
    LastExit panic =
        new LastExit("GuestPanic", 1, NOON, "The guest's kernel panicked.", null, null);
    assertThat(MachineEvent.between(Optional.of(status(null, RUNS)), status(panic, RESTARTS)))
        .containsExactly(new MachineEvent(true, "GuestPanic", "The guest's kernel panicked."));
  }

  @Test
  void exitThatThePodConfirmsIsNotToldAgain() {
    LastExit heard =
        new LastExit("GuestShutdown", null, "2026-01-01T12:00:00.4Z", "Off.", null, null);
    LastExit read = new LastExit("GuestShutdown", 0, "2026-01-01T12:00:01Z", "Off.", null, null);
    assertThat(MachineEvent.between(Optional.of(status(heard, RUNS)), status(read, RUNS)))
        .isEmpty();
  }

  @Test
  void eachExitOfALoopIsTold() {
    LastExit first = new LastExit("QemuError", 1, NOON, "Bad.", null, null);
    LastExit second = new LastExit("QemuError", 1, "2026-01-01T12:01:00Z", "Bad.", null, null);
    assertThat(MachineEvent.between(Optional.of(status(first, RESTARTS)), status(second, RESTARTS)))
        .containsExactly(new MachineEvent(true, "QemuError", "Bad."));
  }

  @Test
  void stepsOfANormalStartWarnOfNothing() {
    for (Condition step :
        List.of(
            condition(DisksReady.TYPE, "False", DisksReady.BINDING_CLAIM),
            condition(DisksReady.TYPE, "False", DisksReady.FETCHING),
            condition(Running.TYPE, "False", Running.STARTING),
            condition(Running.TYPE, "Unknown", Running.STARTING))) {
      assertThat(MachineEvent.between(Optional.empty(), status(null, step)))
          .as(step.getReason())
          .noneMatch(MachineEvent::warning);
    }
  }

  private static Condition condition(String type, String status, String reason) {
    return new ConditionBuilder()
        .withType(type)
        .withStatus(status)
        .withReason(reason)
        .withMessage("message")
        .build();
  }

  @Test
  void stepsOfAStopAreToldOnceAlthoughTheExitIsHeardBefore() {
    LastExit heard = new LastExit("Requested", null, "2026-01-01T12:00:00.4Z", "Off.", null, null);
    LastExit read =
        new LastExit("Requested", 0, NOON, "Off.", null, List.of("PowerButton", "Quit"));
    assertThat(MachineEvent.between(Optional.of(status(heard, RUNS)), status(read, RUNS)))
        .extracting(MachineEvent::reason)
        .containsExactly("Quit");
    assertThat(MachineEvent.between(Optional.of(status(read, RUNS)), status(read, RUNS))).isEmpty();
  }

  @Test
  void requestIsToldWhenItHasBeenActedOn() {
    VirtualMachineStatus before = acted(null);
    assertThat(MachineEvent.between(Optional.of(before), acted("noon")))
        .containsExactly(
            new MachineEvent(
                false, "Reset", "The reset button was pressed, as asked for at noon."));
    assertThat(MachineEvent.between(Optional.of(acted("noon")), acted("noon"))).isEmpty();
  }

  private static VirtualMachineStatus acted(String reset) {
    return Statuses.EMPTY
        .with(new VirtualMachineStatus.Process("running", NOON, "KVM", "10.0.13", 0, null, null))
        .with(reset == null ? null : new VirtualMachineStatus.Actions(null, reset))
        .of();
  }

  private static VirtualMachineStatus status(LastExit exit, Condition... conditions) {
    return Statuses.EMPTY.with(exit).of(conditions);
  }

  @Test
  void disksThatOutliveTheirVmAreNamedAndHowToDeleteThem() {
    VirtualMachine vm =
        Serialization.unmarshal(
            """
            metadata: {name: web, namespace: lab}
            spec:
              disks:
              - {name: root, reclaimPolicy: Retain, storage: {claim: {}}}
              - {name: data, reclaimPolicy: Retain, storage: {nodeLocal: {}}}
              - {name: gone, reclaimPolicy: Delete, storage: {claim: {}}}
              - {name: lent, reclaimPolicy: Retain, storage: {claim: {existing: lent}}}
              - {name: scratch, reclaimPolicy: Retain, storage: {ephemeral: {}}}
            status:
              disks:
              - {name: root, claim: web-root}
              - {name: data, claim: web-data}
              - {name: gone, claim: web-gone}
              - {name: lent, claim: lent}
              - {name: scratch}
            """,
            VirtualMachine.class);
    assertThat(MachineEvent.ofRetainedDisks(vm).orElseThrow().note())
        .endsWith("kubectl delete -n lab pvc web-root web-data");
    vm.setStatus(null);
    assertThat(MachineEvent.ofRetainedDisks(vm)).as("nothing was made").isEmpty();
  }
}
