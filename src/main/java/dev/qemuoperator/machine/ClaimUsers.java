package dev.qemuoperator.machine;

import dev.qemuoperator.api.RunStrategy;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.pod.PodFacts;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Which VMs run from a claim. QEMU's lock keeps two from one file, but not from one block device,
 * and of two nodes only if their storage knows locks.
 */
final class ClaimUsers {

  /** Who comes first if both are to run and neither does. */
  private static final Comparator<VirtualMachine> FIRST =
      Comparator.comparing((VirtualMachine vm) -> vm.getMetadata().getCreationTimestamp())
          .thenComparing(vm -> vm.getMetadata().getUid());

  /** States of one that starts no more by itself. */
  private static final Set<String> AT_REST = Set.of("Stopped", "Failed", "Rejected", "Suspended");

  private final KubernetesClient client;
  private final List<VirtualMachine> machines;

  ClaimUsers(KubernetesClient client, Stream<VirtualMachine> machines) {
    this.client = client;
    this.machines = machines.toList();
  }

  /** Another VM that runs from a claim, or comes first, by the claim's name. */
  Map<String, String> of(VirtualMachine vm) {
    List<String> claims = claims(vm).toList();
    Map<String, String> users = new TreeMap<>();
    for (VirtualMachine other : machines) {
      List<String> shared =
          isNeighbour(vm, other) ? claims(other).filter(claims::contains).toList() : List.of();
      if (!shared.isEmpty() && comesFirst(other, vm)) {
        shared.forEach(claim -> users.put(claim, other.getMetadata().getName()));
      }
    }
    return users;
  }

  private static boolean isNeighbour(VirtualMachine vm, VirtualMachine other) {
    return vm.getMetadata().getNamespace().equals(other.getMetadata().getNamespace())
        && !vm.getMetadata().getUid().equals(other.getMetadata().getUid());
  }

  private static Stream<String> claims(VirtualMachine vm) {
    return vm.getSpec().disks().stream()
        .filter(disk -> disk.storage().isClaimed())
        .map(disk -> MachineInputs.identityOf(vm).claimOf(disk));
  }

  private boolean comesFirst(VirtualMachine other, VirtualMachine vm) {
    boolean isToStart =
        other.getSpec().runStrategy() != RunStrategy.HALTED
            && (other.getStatus() == null || !AT_REST.contains(other.getStatus().state()));
    return hasPod(other) || isToStart && FIRST.compare(other, vm) < 0;
  }

  /** Asked for, because the caches know of this VM's pod alone. */
  private boolean hasPod(VirtualMachine vm) {
    return Optional.ofNullable(
            client
                .pods()
                .inNamespace(vm.getMetadata().getNamespace())
                .withName(vm.getMetadata().getName())
                .get())
        .filter(pod -> Ownership.belongsTo(MachineInputs.identityOf(vm), pod))
        .map(PodFacts::new)
        .filter(pod -> !pod.isOver())
        .isPresent();
  }
}
