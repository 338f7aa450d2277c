package dev.qemuoperator.pod;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.qemu.VmIdentity;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import java.util.Map;
import java.util.TreeMap;

/** The marks by which an object is known as part of a virtual machine. */
public final class Ownership {

  /** Carries the VM's name; the operator's informers select by it. */
  public static final String VM_LABEL = VirtualMachine.GROUP + "/vm";

  private static final String MANAGED_BY = "app.kubernetes.io/managed-by";
  private static final String OPERATOR = "qemu-operator";

  private Ownership() {}

  /** Labels of every object of a VM. */
  public static Map<String, String> labels(VmIdentity vm) {
    return new TreeMap<>(Map.of(MANAGED_BY, OPERATOR, VM_LABEL, vm.name()));
  }

  /** Metadata of an object that goes with its VM. */
  static ObjectMeta owned(VmIdentity vm, String name) {
    return kept(vm, name).edit().withOwnerReferences(owner(vm)).build();
  }

  /** Metadata of an object that outlives its VM. */
  static ObjectMeta kept(VmIdentity vm, String name) {
    return new ObjectMetaBuilder()
        .withNamespace(vm.namespace())
        .withName(name)
        .withLabels(labels(vm))
        .build();
  }

  /** Whether an object that exists is this VM's: labelled so, and owned by it. */
  public static boolean belongsTo(VmIdentity vm, HasMetadata object) {
    return canBeTakenUpBy(vm, object) && !isOrphan(object);
  }

  /** Of objects that outlive their VM: labelled as this one's, and owned by it or by nobody. */
  public static boolean canBeTakenUpBy(VmIdentity vm, HasMetadata object) {
    return vm.name().equals(label(object, VM_LABEL))
        && OPERATOR.equals(label(object, MANAGED_BY))
        && object.getMetadata().getOwnerReferences().stream()
            .allMatch(reference -> vm.uid().equals(reference.getUid()));
  }

  /** Made for a VM, and owned by none: the VM was deleted with {@code --cascade=orphan}. */
  public static boolean isOrphan(HasMetadata object) {
    return OPERATOR.equals(label(object, MANAGED_BY))
        && !label(object, VM_LABEL).isEmpty()
        && object.getMetadata().getOwnerReferences().isEmpty();
  }

  private static String label(HasMetadata object, String name) {
    Map<String, String> labels = object.getMetadata().getLabels();
    return labels == null ? "" : labels.getOrDefault(name, "");
  }

  /** Whether an object is left from a deleted VM of the same name and is about to be collected. */
  public static boolean isLeftBehind(VmIdentity vm, HasMetadata object) {
    return object.getMetadata().getOwnerReferences().stream()
        .anyMatch(
            reference ->
                VirtualMachine.KIND.equals(reference.getKind())
                    && vm.name().equals(reference.getName())
                    && !vm.uid().equals(reference.getUid()));
  }

  private static OwnerReference owner(VmIdentity vm) {
    return new OwnerReferenceBuilder()
        .withApiVersion(VirtualMachine.GROUP + "/v1alpha1")
        .withKind(VirtualMachine.KIND)
        .withName(vm.name())
        .withUid(vm.uid())
        .withController(true)
        .withBlockOwnerDeletion(false)
        .build();
  }
}
