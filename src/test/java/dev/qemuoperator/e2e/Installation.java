package dev.qemuoperator.e2e;

import com.marcnuri.helm.Helm;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.pod.PodFacts;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodList;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** The operator, installed by its chart once for all tests of this JVM. */
final class Installation {

  static final String NAMESPACE = "qemu-operator";
  private static final String RELEASE = "qemu-operator";

  private static Installation installed;

  private Installation() {}

  static synchronized Installation get() {
    if (installed == null) {
      installed = new Installation();
      installed.install();
    }
    return installed;
  }

  /** The name of an image that ./test has built, such as runner; the cluster's node has it. */
  static String image(String name) {
    String image = System.getProperty("qemu-operator.image." + name);
    if (image == null) {
      throw new IllegalStateException(
          "no image is named: run ./test e2e, or set -Dqemu-operator.image.%s to what images/build %s"
                  .formatted(name, name)
              + " prints");
    }
    Cluster.get().load(image);
    return image;
  }

  /** Gives the node an image of ./test under the name that a release would publish. */
  static void loadAs(String name, String published) {
    Cluster.get()
        .onNode(
            "ctr",
            "-n",
            "k8s.io",
            "images",
            "tag",
            "--force",
            "docker.io/" + image(name),
            published)
        .text();
  }

  private void install() {
    handOverCrds();
    String[] operator = image("operator").split(":");
    String[] runner = image("runner").split(":");
    new Helm(Path.of("helm/qemu-operator"))
        .upgrade()
        .install()
        .withName(RELEASE)
        .withNamespace(NAMESPACE)
        .createNamespace()
        .withKubeConfig(Cluster.get().kubeconfigFile())
        .set("image.repository", operator[0])
        .set("image.tag", operator[1])
        // slow enough to be seen
        .set("copyMebibytesPerSecond", 1)
        .set("runner.image.repository", runner[0])
        .set("runner.image.tag", runner[1])
        .waitReady()
        .withTimeout(180)
        .call();
  }

  /**
   * CRDs that the tests of the schema have applied by hand become the release's, as Helm demands.
   */
  private static void handOverCrds() {
    client().apiextensions().v1().customResourceDefinitions().list().getItems().stream()
        .filter(crd -> crd.getSpec().getGroup().equals(VirtualMachine.GROUP))
        .forEach(
            crd ->
                client()
                    .resource(crd)
                    .edit(
                        found ->
                            found
                                .edit()
                                .editMetadata()
                                .addToLabels("app.kubernetes.io/managed-by", "Helm")
                                .addToAnnotations("meta.helm.sh/release-name", RELEASE)
                                .addToAnnotations("meta.helm.sh/release-namespace", NAMESPACE)
                                .endMetadata()
                                .build()));
  }

  /** The operator's pods. */
  FilterWatchListDeletable<Pod, PodList, PodResource> pods() {
    return client().pods().inNamespace(NAMESPACE).withLabel("app.kubernetes.io/instance", RELEASE);
  }

  /** As if its node had lost power. */
  void kill() {
    List<Pod> pods = pods().list().getItems();
    pods.forEach(pod -> client().resource(pod).withGracePeriod(0).delete());
  }

  /** Returns when one of them leads: until then nobody does anything, nor writes a status. */
  void awaitReady() {
    client()
        .apps()
        .deployments()
        .inNamespace(NAMESPACE)
        .withName(RELEASE)
        .waitUntilCondition(
            deployment ->
                deployment.getStatus().getReadyReplicas() != null
                    && deployment.getStatus().getReadyReplicas() > 0
                    && deployment.getStatus().getUnavailableReplicas() == null,
            3,
            TimeUnit.MINUTES);
    Awaitility.await("a leading operator").atMost(Duration.ofMinutes(1)).until(this::isLed);
  }

  /** Whether the holder of the lease is there. */
  boolean isLed() {
    try {
      // not require(), which makes of a lost connection that there is none
      Lease lease = client().leases().inNamespace(NAMESPACE).withName(RELEASE).get();
      String leader = lease == null ? "" : lease.getSpec().getHolderIdentity();
      return pods().list().getItems().stream()
          .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
          .filter(pod -> new PodFacts(pod).isReady())
          .anyMatch(pod -> pod.getMetadata().getName().equals(leader));
    } catch (KubernetesClientException e) {
      return false;
    }
  }

  private static KubernetesClient client() {
    return Cluster.get().client();
  }
}
