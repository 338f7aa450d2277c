package dev.qemuoperator.pod;

import dev.qemuoperator.qemu.VmIdentity;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.List;

/**
 * A pod that brings the medium of a CD-ROM drive to the node of a VM that runs, and then holds it
 * in the node's cache until the drive has it. Its name has a hash of what is fetched, so another
 * medium is another pod.
 */
public final class MediumPod {

  static final String CONTAINER = "hold";

  private static final String COMPONENT = "app.kubernetes.io/component";
  private static final String MEDIUM = "medium";

  /** Nobody ever grants it: the VM's Service selects by labels that this pod must have, too. */
  private static final String NEVER_READY = "qemu-operator.dev/never-ready";

  private static final long QEMU_USER = 107;

  private MediumPod() {}

  /**
   * @param drive name of the CD-ROM drive
   * @param node where the VM runs, which nobody has to choose any more
   * @param fetch of the drive's medium alone
   */
  public static Pod build(
      VmIdentity vm, String drive, String node, List<Toleration> tolerations, ImageFetch fetch) {
    // @formatter:off
    return new PodBuilder()
        .withMetadata(Ownership.owned(vm, name(vm, drive, node, fetch.origins().get(drive))))
        .editMetadata().addToLabels(COMPONENT, MEDIUM).endMetadata()
        .withNewSpec()
          .withNodeName(node)
          .withTolerations(tolerations)
          .withRestartPolicy("OnFailure")
          .withAutomountServiceAccountToken(false)
          .withEnableServiceLinks(false)
          .withTerminationGracePeriodSeconds(1L)
          .addNewReadinessGate(NEVER_READY)
          .withInitContainers(fetch.containers())
          .addNewContainer()
            .withName(CONTAINER)
            .withImage(fetch.settings().runnerImage())
            .withImagePullPolicy("IfNotPresent")
            .withNewSecurityContext()
              .withRunAsUser(QEMU_USER)
              .withAllowPrivilegeEscalation(false)
            .endSecurityContext()
            // what is locked is not removed from the cache
            .withCommand(
                "sh",
                "-c",
                "exec flock -s /cache/sha256/$(cat /handover/digest-%s) sleep infinity".formatted(drive))
            .withVolumeMounts(readOnly(fetch.cache().getName()), readOnly(fetch.handover().getName()))
          .endContainer()
          .withVolumes(fetch.cache(), fetch.handover())
          .addAllToVolumes(fetch.sources())
        .endSpec()
        .build();
    // @formatter:on
  }

  /** The name that the pod has. */
  public static String name(VmIdentity vm, String drive, String node, ImageOrigin origin) {
    return "%s-medium-%s".formatted(vm.name(), Hash.of(List.of(vm.uid(), drive, node, origin)));
  }

  /** Whether a pod of the VM is one of these. */
  public static boolean isOne(VmIdentity vm, Pod pod) {
    return Ownership.belongsTo(vm, pod)
        && MEDIUM.equals(pod.getMetadata().getLabels().get(COMPONENT));
  }

  private static VolumeMount readOnly(String volume) {
    return VmPod.mountOf(volume, "/" + volume, true);
  }
}
