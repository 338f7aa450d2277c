package dev.qemuoperator.machine;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.cloudinit.Layer;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qemu.VmIdentity;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Answers;
import dev.qemuoperator.qmp.Observation.Heard;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;

/**
 * Everything a pass knows, read once.
 *
 * @param layers the sources of cloud-init that exist, in order
 * @param missingSources the others, as users name them, such as {@code ConfigMap/base}
 * @param images the VirtualMachineImages that the VM names and that exist, by name
 * @param roots the HostPathRoots that files of images can be in
 * @param bridgeNetworks those that the VM names and that exist, by name
 * @param claims by name
 * @param claimEvents last warning about a claim that is not bound, by the claim's name
 * @param claimUsers another VM that runs from a claim, or comes first, by the claim's name
 * @param mountProblem last warning about a volume of a pod whose containers wait for it
 * @param qmp what QEMU says, if the operator watches it
 * @param mediumPods those that bring media to the node, see {@link MediumPods}
 * @param fetched how much of an image has come to the node, as its init container said last, by
 *     disk or CD-ROM drive; only of those that are coming
 * @param panicConsole end of the console of a guest that panicked
 * @param keptBases checksums of the base images that no node removes to make room
 */
record MachineInputs(
    VirtualMachine vm,
    List<Layer> layers,
    List<String> missingSources,
    Map<String, VirtualMachineImage> images,
    HostPathRoots roots,
    Map<String, BridgeNetwork> bridgeNetworks,
    Optional<PodFacts> pod,
    Map<String, PersistentVolumeClaim> claims,
    Map<String, String> claimEvents,
    Map<String, String> claimUsers,
    Optional<String> mountProblem,
    Optional<Secret> seed,
    Optional<Secret> tls,
    Optional<Service> service,
    Optional<Observation> qmp,
    List<PodFacts> mediumPods,
    Map<String, String> fetched,
    Optional<String> panicConsole,
    SortedSet<String> keptBases) {

  VirtualMachineSpec spec() {
    return vm.getSpec();
  }

  VmIdentity identity() {
    return identityOf(vm);
  }

  static VmIdentity identityOf(VirtualMachine vm) {
    return new VmIdentity(
        vm.getMetadata().getNamespace(), vm.getMetadata().getName(), vm.getMetadata().getUid());
  }

  /**
   * A pod that is not this VM's, such as one of a deleted VM of the same name, says nothing of it.
   */
  MachineInputs withoutPodOfAnotherVm() {
    if (!hasPodOfAnotherVm()) {
      return this;
    }
    return new MachineInputs(
        vm,
        layers,
        missingSources,
        images,
        roots,
        bridgeNetworks,
        Optional.empty(),
        claims,
        claimEvents,
        claimUsers,
        Optional.empty(),
        seed,
        tls,
        service,
        Optional.empty(),
        List.of(),
        Map.of(),
        Optional.empty(),
        keptBases);
  }

  /** What QEMU says now. Once its container has ended, what it said last is no longer so. */
  Optional<Answers> answers() {
    return qmp.map(Observation::answers)
        .filter(answers -> pod.filter(PodFacts::isRunning).isPresent());
  }

  boolean hasPodOfAnotherVm() {
    return pod.filter(other -> !Ownership.belongsTo(identity(), other.pod())).isPresent();
  }

  /** Whether the guest's process runs, and QEMU has not said that it ends in this moment. */
  boolean guestRunsOn() {
    return pod.filter(PodFacts::isRunning).isPresent()
        && qmp.map(Observation::heard).map(Heard::shutdown).isEmpty();
  }

  /** Whether nothing may be changed for this VM. */
  boolean isSuspended() {
    return request(Annotations.RECONCILE).filter("disabled"::equals).isPresent();
  }

  /** Value of one of {@link Annotations}. */
  Optional<String> request(String annotation) {
    return Optional.ofNullable(vm.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(annotation));
  }

  /** The one-shot annotations that the VM has; a pod that is made now has met them. */
  Map<String, String> requests() {
    Map<String, String> requests = new TreeMap<>();
    for (String annotation :
        List.of(Annotations.RESTART_REQUESTED_AT, Annotations.RESET_REQUESTED_AT)) {
      request(annotation).ifPresent(value -> requests.put(annotation, value));
    }
    return requests;
  }

  /** Whether a restart has been asked for since this pod was made. */
  boolean isRestartRequested(PodFacts facts) {
    return request(Annotations.RESTART_REQUESTED_AT)
        .filter(value -> !value.equals(facts.met(Annotations.RESTART_REQUESTED_AT)))
        .isPresent();
  }

  /** Whether the guest gets a seed disk at all. */
  boolean wantsSeed() {
    return spec().cloudInit() != null || spec().ssh() != null;
  }
}
