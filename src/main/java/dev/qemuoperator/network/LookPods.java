package dev.qemuoperator.network;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.pod.Hash;
import dev.qemuoperator.pod.ImageFetch;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeStatus;
import io.fabric8.kubernetes.api.model.NodeSystemInfo;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The pods that look whether nodes have the bridge of a LAN. One stays when it has done so: it is
 * what is known of the node.
 *
 * @param namespace the operator's
 */
record LookPods(BridgeNetwork network, String namespace, String runnerImage) {

  /** On each of them. */
  static final Map<String, String> LABELS =
      Map.of(
          "app.kubernetes.io/managed-by",
          "qemu-operator",
          "app.kubernetes.io/component",
          "bridge-look");

  /** What it is about: an answer to another question is none. */
  private static final String QUESTION_ANNOTATION = "qemu-operator.dev/looks-for";

  /** And why then: with another one, the answer counts until there is the next. */
  private static final String OCCASION_ANNOTATION = "qemu-operator.dev/looks-on";

  private static final int LONGEST_PREFIX = 40;
  private static final long NOBODY = 65534;

  private String question(Node node) {
    return Hash.of(List.of(network.getSpec().bridge(), node.getMetadata().getUid()));
  }

  /** Whether a pod is, or was, to tell what is asked of a node now. */
  boolean isAbout(Node node, Pod pod) {
    return node.getMetadata().getName().equals(pod.getSpec().getNodeName())
        && question(node).equals(annotation(pod, QUESTION_ANNOTATION));
  }

  /** Whether somebody has asked for another look since, or the node has started anew. */
  boolean isOvertaken(Node node, Pod pod) {
    return !occasion(node).equals(annotation(pod, OCCASION_ANNOTATION));
  }

  private String occasion(Node node) {
    return Hash.of(
        List.of(
            annotation(network, Annotations.REFRESH_REQUESTED_AT),
            Optional.ofNullable(node.getStatus())
                .map(NodeStatus::getNodeInfo)
                .map(NodeSystemInfo::getBootID)
                .orElse("")));
  }

  private static String annotation(HasMetadata object, String name) {
    return Optional.ofNullable(object.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(name))
        .orElse("");
  }

  /**
   * @param after the pod whose answer is too old, if there is one: another name is another pod
   */
  Pod build(Node node, Optional<Pod> after) {
    ObjectMeta owner = network.getMetadata();
    String question = question(node);
    // @formatter:off
    return new PodBuilder()
        .withNewMetadata()
          .withNamespace(namespace)
          .withName(name(owner, question, occasion(node), after))
          .withLabels(LABELS)
          .addToAnnotations(QUESTION_ANNOTATION, question)
          .addToAnnotations(OCCASION_ANNOTATION, occasion(node))
          .withOwnerReferences(new OwnerReferenceBuilder()
              .withApiVersion(VirtualMachine.GROUP + "/v1alpha1")
              .withKind(BridgeNetwork.KIND)
              .withName(owner.getName())
              .withUid(owner.getUid())
              .withController(true)
              .withBlockOwnerDeletion(false)
              .build())
        .endMetadata()
        .withNewSpec()
          .withNodeName(node.getMetadata().getName())
          // a VM that tolerates what others do not may want to go there
          .addNewToleration().withOperator("Exists").endToleration()
          .withHostNetwork(true)
          .withRestartPolicy("OnFailure")
          .withAutomountServiceAccountToken(false)
          .withEnableServiceLinks(false)
          .withTerminationGracePeriodSeconds(0L)
          .addNewContainer()
            .withName("look")
            .withImage(runnerImage)
            .withImagePullPolicy("IfNotPresent")
            .withCommand(ImageFetch.SCRIPTS + "find-bridge", network.getSpec().bridge())
            .withNewSecurityContext()
              .withRunAsUser(NOBODY)
              .withRunAsNonRoot(true)
              .withAllowPrivilegeEscalation(false)
              .withReadOnlyRootFilesystem(true)
              .withNewCapabilities().withDrop("ALL").endCapabilities()
            .endSecurityContext()
          .endContainer()
        .endSpec()
        .build();
    // @formatter:on
  }

  private static String name(
      ObjectMeta network, String question, String occasion, Optional<Pod> after) {
    String prefix = network.getName().replace('.', '-');
    return "%s-%s"
        .formatted(
            prefix.substring(0, Math.min(prefix.length(), LONGEST_PREFIX)),
            Hash.of(
                List.of(
                    network.getUid(),
                    question,
                    occasion,
                    after.map(pod -> pod.getMetadata().getUid()).orElse(""))));
  }
}
