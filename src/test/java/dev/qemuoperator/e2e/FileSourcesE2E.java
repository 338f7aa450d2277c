package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Images from files: in a directory of the node, and on a claim. No server serves them. */
class FileSourcesE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  @BeforeAll
  static void install() {
    Installation.get().awaitReady();
  }

  @AfterAll
  static void removeImages() {
    Cluster.get().kubectl("delete", "qvm", "--all", "-n", NAMESPACE.name()).text();
    Awaitility.await("no image is in use any more")
        .atMost(Vm.TOLD)
        .until(
            () -> Cluster.get().kubectl("delete", "qvmi,hpr", "-l", "test=files").exitCode() == 0);
  }

  @Test
  void vmWaitsForTheRootAndThenForTheFile() {
    TinyDisk disk = TinyDisk.named("waits");
    image("waits", "[{hostPath: {root: waits, path: debian/13.qcow2}}]", disk, "");
    Vm vm =
        Vm.apply(
            NAMESPACE.name(),
            "waits",
            Vm.tinyManifest("waits", "unused")
                .replace("{containerImage: {image: \"unused\"}}", "{image: waits}"));
    vm.awaitCondition("DisksReady", "False", "ImageNotReady", Vm.TOLD);
    assertThat(vm.condition("DisksReady").orElseThrow().getMessage())
        .contains("there is no HostPathRoot/waits", "kubectl get hpr");
    assertThat(condition("waits", "Ready").orElseThrow().getReason())
        .isEqualTo("HostPathRootNotFound");

    root("waits", "/srv/e2e-waits");
    vm.awaitCondition("DisksReady", "False", "ImageFileUnavailable", Duration.ofSeconds(60));
    assertThat(vm.condition("DisksReady").orElseThrow().getMessage())
        .contains("HostPathRoot/waits:debian/13.qcow2 on node " + node(), "put it there");
    assertThat(vm.eventReasons()).contains("ImageNotReady", "ImageFileUnavailable");

    disk.putOnNode("/srv/e2e-waits/debian/13.qcow2");
    vm.awaitReady();
    assertThat(image("waits").source()).isEqualTo("HostPathRoot/waits:debian/13.qcow2");
    assertThat(vm.status().disks().getFirst().digest()).isEqualTo(disk.checksum());
    assertThat(vm.livePod().getSpec().getContainers())
        .flatExtracting(container -> container.getVolumeMounts())
        .extracting(VolumeMount::getMountPath)
        .as("beside QEMU nothing of the directory is to be seen")
        .noneMatch(path -> path.startsWith("/sources"));

    Cluster.get().kubectl("delete", "hpr", "waits").text();
    awaitCondition("waits", "Ready", "False", "HostPathRootNotFound");
    assertThat(vm.condition("Ready").orElseThrow().getStatus())
        .as("of a guest that has its disk")
        .isEqualTo("True");
  }

  @Test
  void rootIsCorrectedWhileAVmWaits() {
    TinyDisk disk = TinyDisk.named("corrected");
    disk.putOnNode("/srv/e2e-corrected/a.qcow2");
    root("corrected", "/srv/e2e-mistaken");
    image("corrected", "[{hostPath: {root: corrected, path: a.qcow2}}]", disk, "");
    Vm vm =
        Vm.apply(
            NAMESPACE.name(),
            "corrected",
            Vm.tinyManifest("corrected", "unused")
                .replace("{containerImage: {image: \"unused\"}}", "{image: corrected}"));
    vm.awaitCondition("DisksReady", "False", "ImageFileUnavailable", Duration.ofSeconds(60));
    root("corrected", "/srv/e2e-corrected");
    vm.awaitReady();
  }

  @Test
  void nodeWithoutTheFileTakesTheNextSourceAndTellsWhichItWas() {
    ImageServer server = ImageServer.start(NAMESPACE.name());
    server.publish("second.qcow2");
    root("empty", "/srv/e2e-empty");
    Vm.apply(
        NAMESPACE.name(),
        manifest(
            "second",
            "[{hostPath: {root: empty, path: a.qcow2}}, {http: {url: \"%s/second.qcow2\"}}]"
                .formatted(server.url()),
            server.checksum("second.qcow2"),
            "  prePull: {}\n"));
    awaitCondition("second", "PrePulled", "True", "Present");
    assertThat(image("second").nodes())
        .extracting(VirtualMachineImageStatus.Node::source)
        .containsExactly(server.url() + "/second.qcow2");

    TinyDisk disk = TinyDisk.named("first");
    disk.putOnNode("/srv/e2e-empty/b.qcow2");
    image("first", "[{hostPath: {root: empty, path: b.qcow2}}]", disk, "  prePull: {}\n");
    awaitCondition("first", "PrePulled", "True", "Present");
    assertThat(image("first").nodes())
        .extracting(VirtualMachineImageStatus.Node::source)
        .containsExactly("HostPathRoot/empty:b.qcow2");
  }

  @Test
  void vmBootsFromAFileOnAClaim() {
    TinyDisk disk = TinyDisk.named("on-a-claim");
    Vm vm =
        Vm.apply(
            NAMESPACE.name(),
            "from-a-claim",
            Vm.tinyManifest("from-a-claim", "unused")
                .replace(
                    "{containerImage: {image: \"unused\"}}",
                    "{claim: {name: images, path: debian/13.qcow2, checksum: \"%s\"}}"
                        .formatted(disk.checksum())));
    vm.awaitCondition("Running", "False", "Unschedulable", Duration.ofSeconds(30));
    assertThat(vm.condition("Running").orElseThrow().getMessage())
        .contains("persistentvolumeclaim \"images\" not found");

    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: images}
        spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: librarian}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
          - name: librarian
            image: "%s"
            command: [sleep, infinity]
            volumeMounts: [{name: images, mountPath: /images}]
          volumes: [{name: images, persistentVolumeClaim: {claimName: images}}]
        """
            .formatted(Installation.image("runner")));
    Cluster.get()
        .client()
        .pods()
        .inNamespace(NAMESPACE.name())
        .withName("librarian")
        .waitUntilReady(2, TimeUnit.MINUTES);
    vm.awaitCondition("DisksReady", "False", "ImageFileUnavailable", Duration.ofSeconds(60));
    assertThat(vm.condition("DisksReady").orElseThrow().getMessage())
        .contains("PersistentVolumeClaim/images:debian/13.qcow2", "put it there");

    disk.putInPod(NAMESPACE.name(), "librarian", "/images/debian/13.qcow2");
    vm.awaitReady();
    assertThat(vm.status().disks().getFirst().image())
        .isEqualTo("PersistentVolumeClaim/images:debian/13.qcow2");
    assertThat(vm.status().disks().getFirst().digest()).isEqualTo(disk.checksum());
  }

  private static String node() {
    return Cluster.get().client().nodes().list().getItems().getFirst().getMetadata().getName();
  }

  private static void root(String name, String nodePath) {
    Vm.apply(
        NAMESPACE.name(),
        """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: HostPathRoot
            metadata: {name: %s, labels: {test: files}}
            spec: {nodePath: %s}
            """
            .formatted(name, nodePath));
  }

  private static void image(String name, String sources, TinyDisk disk, String more) {
    Vm.apply(NAMESPACE.name(), manifest(name, sources, disk.checksum(), more));
  }

  private static String manifest(String name, String sources, String checksum, String more) {
    return """
    apiVersion: qemu-operator.dev/v1alpha1
    kind: VirtualMachineImage
    metadata: {name: %s, labels: {test: files}}
    spec:
      sources: %s
      checksum: %s
    """
            .formatted(name, sources, checksum)
        + more;
  }

  private static VirtualMachineImageStatus image(String name) {
    return Cluster.get()
        .client()
        .resources(VirtualMachineImage.class)
        .withName(name)
        .get()
        .getStatus();
  }

  private static Optional<Condition> condition(String image, String type) {
    return Optional.ofNullable(image(image))
        .flatMap(status -> ConditionList.find(status.conditions(), type));
  }

  private static void awaitCondition(String image, String type, String status, String reason) {
    Awaitility.await("%s: %s=%s %s".formatted(image, type, status, reason))
        .atMost(Vm.BOOT)
        .until(
            () -> condition(image, type),
            found ->
                found
                    .filter(c -> c.getStatus().equals(status) && c.getReason().equals(reason))
                    .isPresent());
  }
}
