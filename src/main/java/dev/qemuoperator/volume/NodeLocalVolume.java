package dev.qemuoperator.volume;

import dev.qemuoperator.api.VirtualMachine;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A directory of a node as a PersistentVolume. Kubernetes' own scheduler then brings every pod of
 * its claim to that node.
 *
 * @param storageClass of the claims that are served
 * @param directory of each node, in which each volume has one of its own
 */
record NodeLocalVolume(String storageClass, String directory) {

  /** The provisioner, as the StorageClass names it. */
  static final String PROVISIONER = VirtualMachine.GROUP + "/node-local";

  /** On each volume, and each pod that removes one. */
  static final SortedMap<String, String> LABELS =
      Collections.unmodifiableSortedMap(
          new TreeMap<>(
              Map.of(
                  "app.kubernetes.io/managed-by",
                  "qemu-operator",
                  VirtualMachine.GROUP + "/node-local",
                  "")));

  private static final String SELECTED_NODE = "volume.kubernetes.io/selected-node";
  private static final String PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
  private static final String HOSTNAME = "kubernetes.io/hostname";
  private static final String MOUNT = "/disks";

  /** Before the volume's name: the pod that removes its directory. */
  private static final String REMOVER = "remove-";

  /** The node that the scheduler has chosen for a claim that has no volume yet. */
  Optional<String> nodeFor(PersistentVolumeClaim claim) {
    boolean lacksOne =
        storageClass.equals(claim.getSpec().getStorageClassName())
            && claim.getSpec().getVolumeName() == null
            && claim.getMetadata().getDeletionTimestamp() == null;
    return Optional.ofNullable(claim.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(SELECTED_NODE))
        .filter(node -> lacksOne);
  }

  /** The volume of a claim; its name is the claim's uid, so there cannot be two. */
  PersistentVolume of(PersistentVolumeClaim claim, Node node) {
    String hostname =
        Optional.ofNullable(node.getMetadata().getLabels())
            .map(labels -> labels.get(HOSTNAME))
            .orElse(node.getMetadata().getName());
    // @formatter:off
    return new PersistentVolumeBuilder()
        .withNewMetadata()
          .withName("pvc-" + claim.getMetadata().getUid())
          .withLabels(LABELS)
          .withAnnotations(Map.of(PROVISIONED_BY, PROVISIONER))
        .endMetadata()
        .withNewSpec()
          .withStorageClassName(storageClass)
          .withPersistentVolumeReclaimPolicy("Delete")
          .withAccessModes(claim.getSpec().getAccessModes())
          .withCapacity(Map.of("storage", request(claim)))
          .withVolumeMode("Filesystem")
          .withNewHostPath()
            .withPath(path(referenceTo(claim)))
            .withType("DirectoryOrCreate")
          .endHostPath()
          .withClaimRef(referenceTo(claim))
          .withNewNodeAffinity().withNewRequired().addNewNodeSelectorTerm()
            .addNewMatchExpression()
              .withKey(HOSTNAME).withOperator("In").withValues(hostname)
            .endMatchExpression()
          .endNodeSelectorTerm().endRequired().endNodeAffinity()
        .endSpec()
        .build();
    // @formatter:on
  }

  private static ObjectReference referenceTo(PersistentVolumeClaim claim) {
    ObjectReference reference = new ObjectReference();
    reference.setApiVersion("v1");
    reference.setKind("PersistentVolumeClaim");
    reference.setNamespace(claim.getMetadata().getNamespace());
    reference.setName(claim.getMetadata().getName());
    reference.setUid(claim.getMetadata().getUid());
    return reference;
  }

  /** Readable for who looks at a node, and never that of a later claim of the same name. */
  private String path(ObjectReference claim) {
    return directory + "/" + folder(claim);
  }

  private static String folder(ObjectReference claim) {
    return "%s_%s_%s".formatted(claim.getNamespace(), claim.getName(), claim.getUid());
  }

  static Quantity request(PersistentVolumeClaim claim) {
    return claim.getSpec().getResources().getRequests().get("storage");
  }

  /** Whether a claim asks for more than its volume says that it has. */
  static boolean isToGrow(PersistentVolumeClaim claim, PersistentVolume volume) {
    return isLarger(request(claim), capacity(volume));
  }

  static Quantity capacity(PersistentVolume volume) {
    return volume.getSpec().getCapacity().get("storage");
  }

  private static boolean isLarger(Quantity one, Quantity other) {
    return one.getNumericalAmount().compareTo(other.getNumericalAmount()) > 0;
  }

  /**
   * Whether its directory is to be removed: its claim is gone. A volume whose path is not the one
   * that would be made here was changed by somebody, and nothing of it is removed.
   */
  boolean isReleased(PersistentVolume volume) {
    return volume.getStatus() != null
        && "Released".equals(volume.getStatus().getPhase())
        && "Delete".equals(volume.getSpec().getPersistentVolumeReclaimPolicy())
        && volume.getMetadata().getDeletionTimestamp() == null
        && volume.getSpec().getHostPath() != null
        && path(volume.getSpec().getClaimRef()).equals(volume.getSpec().getHostPath().getPath());
  }

  /** Label that its node has, and no other. */
  static String hostname(PersistentVolume volume) {
    return volume
        .getSpec()
        .getNodeAffinity()
        .getRequired()
        .getNodeSelectorTerms()
        .getFirst()
        .getMatchExpressions()
        .getFirst()
        .getValues()
        .getFirst();
  }

  /** Name of the volume whose directory a pod removes. */
  static String removedBy(Pod remover) {
    return remover.getMetadata().getName().substring(REMOVER.length());
  }

  /** Removes the directory of a volume, on its node. */
  Pod remover(PersistentVolume volume, String namespace, String image) {
    // @formatter:off
    return new PodBuilder()
        .withNewMetadata()
          .withNamespace(namespace)
          .withName(REMOVER + volume.getMetadata().getName())
          .withLabels(LABELS)
        .endMetadata()
        .withNewSpec()
          .withNodeSelector(Map.of(HOSTNAME, hostname(volume)))
          // to any node, also one that is being drained: its disk holds the directory
          .addNewToleration().withOperator("Exists").endToleration()
          .withRestartPolicy("OnFailure")
          .withAutomountServiceAccountToken(false)
          .withEnableServiceLinks(false)
          .withTerminationGracePeriodSeconds(10L)
          .addNewContainer()
            .withName("remove")
            .withImage(image)
            .withImagePullPolicy("IfNotPresent")
            .withCommand("rm", "-rf", MOUNT + "/" + folder(volume.getSpec().getClaimRef()))
            .addNewVolumeMount().withName("disks").withMountPath(MOUNT).endVolumeMount()
          .endContainer()
          .addNewVolume()
            .withName("disks")
            .withNewHostPath().withPath(directory).withType("DirectoryOrCreate").endHostPath()
          .endVolume()
        .endSpec()
        .build();
    // @formatter:on
  }
}
