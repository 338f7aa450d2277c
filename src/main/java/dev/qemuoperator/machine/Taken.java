package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.qemu.VmIdentity;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.HasMetadata;

/** A name that a VM needs for a child, and that has an object already: whose, and what to do. */
final class Taken {

  private Taken() {}

  static Verdict by(VmIdentity vm, HasMetadata object) {
    return Verdict.no(Accepted.NAME_TAKEN, why(vm, object));
  }

  private static String why(VmIdentity vm, HasMetadata object) {
    String name = object.getKind() + "/" + object.getMetadata().getName();
    if (Ownership.isLeftBehind(vm, object)) {
      return "%s of a deleted VirtualMachine of this name is still being removed; this one follows by itself."
          .formatted(name);
    }
    if (Ownership.isOrphan(object)) {
      return "%s was made for an earlier VirtualMachine of this name, which was deleted with --cascade=orphan. Delete what it left, and a guest that still runs there is powered off: kubectl delete pod,service,secret -l %s=%s"
          .formatted(name, Ownership.VM_LABEL, vm.name());
    }
    return name + " exists and is not this VM's. Delete or rename it, or give the VM another name.";
  }
}
