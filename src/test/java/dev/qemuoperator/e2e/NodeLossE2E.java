package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.status.ConditionList;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A node that does not answer any more, for the control plane and for the operator: the API server
 * refuses all that the kubelet says, and nobody reaches QEMU's monitors.
 */
class NodeLossE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final Duration GIVEN_UP = Duration.ofSeconds(30);

  /**
   * What Kubernetes puts on a node that it gives up. Of its only node it would not, so the test
   * does; other pods tolerate it for five minutes.
   */
  private static final String TAINT = "node.kubernetes.io/unreachable:NoExecute";

  private static final String SILENCE =
      """
      apiVersion: admissionregistration.k8s.io/v1
      kind: ValidatingAdmissionPolicy
      metadata: {name: qemu-operator-test-silent-node}
      spec:
        failurePolicy: Fail
        matchConstraints:
          resourceRules:
          - {apiGroups: [coordination.k8s.io], apiVersions: [v1], operations: [UPDATE], resources: [leases]}
          - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [nodes, nodes/status, pods/status]}
          - {apiGroups: [""], apiVersions: [v1], operations: [DELETE], resources: [pods]}
        matchConditions:
        - {name: by-a-node, expression: "request.userInfo.username.startsWith('system:node:')"}
        validations:
        - {expression: "false", message: this node is lost}
      ---
      apiVersion: admissionregistration.k8s.io/v1
      kind: ValidatingAdmissionPolicyBinding
      metadata: {name: qemu-operator-test-silent-node}
      spec: {policyName: qemu-operator-test-silent-node, validationActions: [Deny]}
      """;

  @BeforeAll
  static void install() {
    Installation.get();
  }

  @Test
  void lostNodeIsUnknownUntilItIsGivenUpAndThenTheVmRunsAgain() {
    Vm vm =
        Vm.tiny(
            NAMESPACE.name(),
            "stranded",
            "tolerations:",
            "- {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 2}",
            "- {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 2}");
    vm.awaitReady();
    vm.inPod("nft", "add table inet cut");
    vm.inPod("nft", "add chain inet cut in { type filter hook input priority -300; }");
    vm.inPod("nft", "add rule inet cut in tcp dport 7000-7001 reject with tcp reset");
    vm.awaitCondition("Running", "Unknown", "QMPUnreachable", Vm.TOLD);
    Cluster.get().kubectlWithInput(SILENCE, "apply", "-f", "-").text();
    try {
      taint("node.kubernetes.io/unreachable=:NoExecute");
      VirtualMachineStatus lost = vm.awaitCondition("Running", "Unknown", "NodeLost", GIVEN_UP);
      assertThat(lost.state()).isEqualTo("Unknown");
      assertThat(ConditionList.find(lost.conditions(), "Ready").orElseThrow().getStatus())
          .isEqualTo("Unknown");

      vm.pod().withGracePeriod(0).delete();
      VirtualMachineStatus givenUp = vm.awaitExit("NodeLost", Vm.TOLD);
      assertThat(givenUp.lastExit().message()).contains("did not answer");
    } finally {
      taint(TAINT + "-");
      Cluster.get().kubectlWithInput(SILENCE, "delete", "-f", "-").text();
    }
    vm.awaitReady();
    assertThat(vm.boots()).isEqualTo(2);
    vm.delete();
  }

  private static void taint(String taint) {
    Cluster.get().kubectl("taint", "node", "--all", taint).exitCode();
  }
}
