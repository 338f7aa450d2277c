package dev.qemuoperator.image;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.pod.Hash;
import dev.qemuoperator.pod.ImageFetch;
import dev.qemuoperator.pod.ImageOrigin;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.util.List;
import java.util.Map;

/**
 * A pod that puts an image into the cache of one node. It stays when it has done so: it is what is
 * known of the node. Its name has a hash of what is fetched, so another digest is another pod.
 */
final class PrePullPod {

  /** On each of them. */
  static final Map<String, String> LABELS =
      Map.of(
          "app.kubernetes.io/managed-by",
          "qemu-operator",
          "app.kubernetes.io/component",
          "prepull");

  /** In place of the name of a disk. */
  static final String DISK = "prepull";

  private static final int LONGEST_PREFIX = 40;

  private PrePullPod() {}

  /**
   * @param fetch with the image's origin under the name {@link #DISK}
   */
  static Pod build(VirtualMachineImage image, ImageFetch fetch, String node, String namespace) {
    // @formatter:off
    return new PodBuilder()
        .withNewMetadata()
          .withNamespace(namespace)
          .withName(name(image.getMetadata(), fetch.origins().get(DISK), node))
          .withLabels(LABELS)
          .withOwnerReferences(owner(image.getMetadata()))
        .endMetadata()
        .withNewSpec()
          // the node was chosen already: by its labels, and because it has no taint
          .withNodeName(node)
          .withRestartPolicy("OnFailure")
          .withAutomountServiceAccountToken(false)
          .withEnableServiceLinks(false)
          .withTerminationGracePeriodSeconds(10L)
          .withInitContainers(fetch.containers())
          .addNewContainer()
            .withName("present")
            .withImage(fetch.settings().runnerImage())
            .withImagePullPolicy("IfNotPresent")
            .withCommand("sh", "-c", "exit 0")
          .endContainer()
          .withVolumes(fetch.cache(), fetch.handover())
          .addAllToVolumes(fetch.sources())
        .endSpec()
        .build();
    // @formatter:on
  }

  private static String name(ObjectMeta image, ImageOrigin origin, String node) {
    String prefix = image.getName().replace('.', '-');
    return "%s-%s"
        .formatted(
            prefix.substring(0, Math.min(prefix.length(), LONGEST_PREFIX)),
            Hash.of(List.of(image.getUid(), origin, node)));
  }

  private static OwnerReference owner(ObjectMeta image) {
    return new OwnerReferenceBuilder()
        .withApiVersion(VirtualMachine.GROUP + "/v1alpha1")
        .withKind(VirtualMachineImage.KIND)
        .withName(image.getName())
        .withUid(image.getUid())
        .withController(true)
        .withBlockOwnerDeletion(false)
        .build();
  }
}
