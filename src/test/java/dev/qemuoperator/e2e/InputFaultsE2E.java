package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What users get wrong: each fault names its cause and remedy, and goes when its cause goes. */
class InputFaultsE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final Duration SOON = Duration.ofSeconds(30);

  /** Longer than the kubelet's back-off after a few failures. */
  private static final Duration RECOVERY = Duration.ofMinutes(5);

  private static ImageServer server;

  @BeforeAll
  static void install() {
    Installation.get();
    server = ImageServer.start(NAMESPACE.name());
  }

  @Test
  void missingConfigMapIsNamedAndTheVmStartsOnceItIsThere() {
    Vm vm =
        Vm.tiny(
            NAMESPACE.name(),
            "no-configmap",
            "cloudInit: {sources: [{configMapRef: {name: later}}]}");
    vm.awaitCondition("Accepted", "False", "CloudInitSourceNotFound", SOON);
    assertThat(message(vm, "Accepted")).contains("ConfigMap/later", "Create it");
    assertThat(vm.pod().get()).isNull();

    Vm.apply(NAMESPACE.name(), configMap("later", "#cloud-config\\nhostname: found\\n"));
    vm.awaitReady();
    vm.resource().delete();
  }

  @Test
  void badYamlIsNamedByLineAndTheVmStartsOnceItIsRight() {
    Vm.apply(NAMESPACE.name(), configMap("broken", "#cloud-config\\nusers:\\n - a: [\\n"));
    Vm vm =
        Vm.tiny(
            NAMESPACE.name(), "bad-yaml", "cloudInit: {sources: [{configMapRef: {name: broken}}]}");
    vm.awaitCondition("Accepted", "False", "CloudInitInvalid", SOON);
    assertThat(message(vm, "Accepted")).contains("ConfigMap/broken", "user-data", "line ");

    Vm.apply(NAMESPACE.name(), configMap("broken", "#cloud-config\\nusers: [default]\\n"));
    vm.awaitReady();
    vm.resource().delete();
  }

  @Test
  void secretsContentNeverShowsInMessages() {
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: leaky}
        stringData: {user-data: "#cloud-config\\npassword: [hunter2\\n"}
        """);
    Vm vm =
        Vm.tiny(NAMESPACE.name(), "leaky", "cloudInit: {sources: [{secretRef: {name: leaky}}]}");
    vm.awaitCondition("Accepted", "False", "CloudInitInvalid", SOON);
    assertThat(message(vm, "Accepted")).contains("Secret/leaky").doesNotContain("hunter2");
    vm.resource().delete();
  }

  @Test
  void claimThatCannotBeBoundIsToldInTheClustersWordsAndTheVmStartsOnceItCan() {
    Vm vm =
        Vm.apply(
            NAMESPACE.name(),
            "no-class",
            Vm.tinyManifest("no-class", Installation.image("guest-tiny"))
                + "    storage: {claim: {storageClassName: comes-later}}\n");
    vm.awaitCondition("DisksReady", "False", "ClaimPending", SOON);
    vm.await(
        "the cluster's words", SOON, status -> message(vm, "DisksReady").contains("comes-later"));
    assertThat(message(vm, "DisksReady")).contains("PersistentVolumeClaim/no-class-root");

    var existing =
        Cluster.get().client().storage().v1().storageClasses().list().getItems().stream()
            .filter(
                c ->
                    "true"
                        .equals(
                            c.getMetadata()
                                .getAnnotations()
                                .get("storageclass.kubernetes.io/is-default-class")))
            .findFirst()
            .orElseThrow();
    var copy = existing.edit().withNewMetadata().withName("comes-later").endMetadata().build();
    Cluster.get().client().resource(copy).create();
    try {
      vm.awaitReady();
    } finally {
      Cluster.get().client().resource(copy).delete();
    }
    vm.resource().delete();
  }

  @Test
  void containerImageThatCannotBePulledIsTold() {
    Vm vm =
        Vm.apply(
            NAMESPACE.name(), "no-image", Vm.tinyManifest("no-image", "localhost:1/nothing:here"));
    vm.awaitCondition("DisksReady", "False", "ImagePullFailed", Duration.ofMinutes(1));
    assertThat(message(vm, "DisksReady")).contains("root", "source.containerImage.image");

    vm.patch(
        "{\"spec\":{\"disks\":[{\"name\":\"root\",\"size\":\"64Mi\",\"source\":"
            + "{\"containerImage\":{\"image\":\"%s\"}}}]}}"
                .formatted(Installation.image("guest-tiny")));
    vm.awaitReady();
    vm.resource().delete();
  }

  @Test
  void imageThatIsNotServedYetIsToldAndComesOnceItIs() {
    Vm vm = httpVm("not-served", "late.qcow2", server.checksum("late.qcow2"));
    vm.awaitCondition("DisksReady", "False", "DownloadFailed", Duration.ofMinutes(2));
    assertThat(message(vm, "DisksReady")).contains("root", "late.qcow2");

    server.publish("late.qcow2");
    vm.await("ready", RECOVERY, status -> isReady(vm));
    vm.resource().delete();
  }

  @Test
  void wrongChecksumIsToldAndTheRightOneStartsTheVm() {
    server.publish("disk.qcow2");
    Vm vm = httpVm("wrong-checksum", "disk.qcow2", "sha256:" + "0".repeat(64));
    vm.awaitCondition("DisksReady", "False", "ChecksumMismatch", Duration.ofMinutes(2));
    assertThat(message(vm, "DisksReady"))
        .contains("root", server.checksum("disk.qcow2").substring(7));

    httpVm("wrong-checksum", "disk.qcow2", server.checksum("disk.qcow2"));
    vm.awaitReady();
    vm.resource().delete();
  }

  @Test
  void oneVmsFailureDoesNotDelayAnother() {
    Vm broken =
        Vm.apply(NAMESPACE.name(), "broken", Vm.tinyManifest("broken", "localhost:1/nothing:here"));
    Vm first = Vm.tiny(NAMESPACE.name(), "first");
    Vm second = Vm.tiny(NAMESPACE.name(), "second");
    first.awaitReady();
    second.awaitReady();
    assertThat(isReady(broken)).isFalse();
    assertThat(first.run("cat /sys/class/net/eth0/address"))
        .isNotEqualTo(second.run("cat /sys/class/net/eth0/address"));
    broken.delete();
    first.resource().delete();
    second.resource().delete();
  }

  private static Vm httpVm(String name, String file, String checksum) {
    return Vm.apply(
        NAMESPACE.name(),
        name,
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: %s}
        spec:
          memory: {size: 192Mi}
          terminationGracePeriodSeconds: 30
          readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
          disks:
          - name: root
            source: {http: {url: "%s/%s", checksum: "%s"}}
            storage: {ephemeral: {}}
        """
            .formatted(name, server.url(), file, checksum));
  }

  private static boolean isReady(Vm vm) {
    return vm.condition("Ready").filter(c -> "True".equals(c.getStatus())).isPresent();
  }

  private static String message(Vm vm, String type) {
    return vm.condition(type).map(Condition::getMessage).orElse("");
  }

  private static String configMap(String name, String userData) {
    return """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: %s}
        data: {user-data: "%s"}
        """
        .formatted(name, userData);
  }
}
