package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.Observation;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Inputs of a pass that knows of nothing but the VM. */
final class Inputs {

  private Inputs() {}

  static MachineInputs of(VirtualMachine vm, Optional<PodFacts> pod, Optional<Observation> qmp) {
    return of(vm, pod, Map.of(), qmp, Optional.empty());
  }

  static MachineInputs of(
      VirtualMachine vm,
      Optional<PodFacts> pod,
      Map<String, PersistentVolumeClaim> claims,
      Optional<Observation> qmp,
      Optional<String> panicConsole) {
    return new MachineInputs(
        vm,
        List.of(),
        List.of(),
        Map.of(),
        HostPathRoots.NONE,
        Map.of(),
        pod,
        claims,
        Map.of(),
        Map.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        qmp,
        List.of(),
        Map.of(),
        panicConsole,
        new TreeSet<>());
  }
}
