package dev.qemuoperator.api;

import dev.qemuoperator.api.VirtualMachineStatus.Actions;
import dev.qemuoperator.api.VirtualMachineStatus.BootTimings;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.api.VirtualMachineStatus.Process;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;

/** Statuses of virtual machines, of which a test cares for a part. */
public record Statuses(
    String state, Process process, LastExit lastExit, BootTimings bootTimings, Actions actions) {

  public static final Statuses EMPTY = new Statuses(null, null, null, null, null);

  public Statuses in(String word) {
    return new Statuses(word, process, lastExit, bootTimings, actions);
  }

  public Statuses with(Process running) {
    return new Statuses(state, running, lastExit, bootTimings, actions);
  }

  public Statuses with(LastExit exit) {
    return new Statuses(state, process, exit, bootTimings, actions);
  }

  public Statuses with(BootTimings timings) {
    return new Statuses(state, process, lastExit, timings, actions);
  }

  public Statuses with(Actions acted) {
    return new Statuses(state, process, lastExit, bootTimings, acted);
  }

  public VirtualMachineStatus of(Condition... conditions) {
    return new VirtualMachineStatus(
        1L,
        state,
        List.of(conditions),
        null,
        null,
        process,
        lastExit,
        List.of(),
        List.of(),
        null,
        null,
        null,
        null,
        bootTimings,
        null,
        actions);
  }
}
