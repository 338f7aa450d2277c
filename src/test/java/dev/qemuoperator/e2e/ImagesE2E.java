package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.Outcome;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Images by name: where they come from, what is pinned, and what is wrong with them. */
class ImagesE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  /** A server that did not answer is asked again after 30 s. */
  private static final Duration ASKED_AGAIN = Duration.ofSeconds(60);

  /** Between two starts of the same kind, on a machine that does other things, too. */
  private static final Duration NOISE = Duration.ofSeconds(2);

  /** Between two boots of the same kind, which keep emulated CPUs busy for longer. */
  private static final Duration NOISE_OF_BOOTS = Duration.ofSeconds(5);

  private static final String CACHE = "/var/lib/qemu-operator/cache";

  private static ImageServer server;

  @BeforeAll
  static void serve() {
    Installation.get().awaitReady();
    server = ImageServer.start(NAMESPACE.name());
  }

  @AfterAll
  static void removeImages() {
    Cluster.get().kubectl("delete", "qvm", "--all", "-n", NAMESPACE.name()).text();
    Awaitility.await("no image is in use any more")
        .atMost(Vm.TOLD)
        .until(() -> Cluster.get().kubectl("delete", "qvmi", "-l", "test=images").exitCode() == 0);
  }

  @Test
  void catalogueIsThereAndNothingOfItIsLookedUpUntilAVmNamesIt() {
    for (String name : new String[] {"ubuntu-24.04", "debian-12", "alpine-3.23"}) {
      VirtualMachineImageStatus status = await(name, "True", "OnDemand", Vm.TOLD);
      assertThat(status.virtualMachines()).isZero();
      assertThat(status.digest()).isNull();
    }
  }

  @Test
  void catalogueIsPutRightByTheNextOperatorAndNothingElseIs() {
    Cluster.get()
        .kubectl(
            "patch",
            "qvmi",
            "debian-12",
            "--type=merge",
            "-p",
            "{\"spec\":{\"checksumUrl\":null,\"format\":\"raw\",\"checksum\":\"sha256:%s\"}}"
                .formatted("0a".repeat(32)))
        .text();
    Cluster.get().kubectl("label", "qvmi", "debian-13", "qemu-operator.dev/catalogue-").text();
    Cluster.get()
        .kubectl(
            "patch", "qvmi", "debian-13", "--type=merge", "-p", "{\"spec\":{\"format\":\"raw\"}}")
        .text();
    Cluster.get().kubectl("delete", "qvmi", "alpine-3.23").text();
    Installation.get().kill();
    Awaitility.await("the catalogue as it was")
        .atMost(Vm.BOOT)
        .until(
            () ->
                spec("alpine-3.23") != null
                    && spec("debian-12").checksumUrl() != null
                    && spec("debian-12").format() == null);
    Installation.get().awaitReady();
    assertThat(spec("debian-13").format())
        .as("of an image that is not the catalogue's")
        .isNotNull();
    Cluster.get().kubectl("delete", "qvmi", "debian-13").text();
  }

  private static VirtualMachineImageSpec spec(String image) {
    return Optional.ofNullable(
            Cluster.get().client().resources(VirtualMachineImage.class).withName(image).get())
        .map(VirtualMachineImage::getSpec)
        .orElse(null);
  }

  @Test
  void imageIsFetchedOnceAndPinned() {
    server.publish("once.qcow2");
    image(
        "once",
        """
          sources:
          - http: {url: "%1$s/not/there/once.qcow2"}
          - http: {url: "%1$s/once.qcow2"}
          checksumUrl: %2$s
        """
            .formatted(server.url(), server.publishSums()));
    Vm first = vm("first", "once");
    first.awaitReady();

    VirtualMachineImageStatus status = await("once", "True", "Resolved", Vm.TOLD);
    assertThat(status.source()).isEqualTo(server.url() + "/once.qcow2");
    assertThat(status.digest()).isEqualTo(server.checksum("once.qcow2"));
    assertThat(first.status().disks().getFirst().image()).isEqualTo("once");
    assertThat(first.status().disks().getFirst().digest()).isEqualTo(status.digest());

    awaitNode("once", "Present");

    server.withdraw("once.qcow2");
    Vm second = vm("second", "once");
    second.awaitReady();
    assertThat(second.status().disks().getFirst().digest())
        .as("the node has it: nothing is transferred")
        .isEqualTo(status.digest());
    awaitUsers("once", 2);
    second.delete();
    awaitUsers("once", 1);
    assertThat(Cluster.get().kubectl("delete", "qvmi", "once").stderr())
        .contains("disks of 1 VirtualMachines name it", "images.protect");
    first.delete();
    awaitUsers("once", 0);
    Cluster.get().kubectl("delete", "qvmi", "once").text();
  }

  @Test
  void nodesThatPrePullHaveItBeforeTheFirstVm() {
    server.publish("ahead.qcow2");
    String checksum = server.checksum("ahead.qcow2");
    String spec =
        """
          sources: [{http: {url: "%s/ahead.qcow2"}}]
          checksum: %s
          prePull: {nodeSelector: {images: "%s"}}
        """;
    image("ahead", spec.formatted(server.url(), checksum, NAMESPACE.name()));
    awaitPrePulled("ahead", "False", "NoNodes", Vm.TOLD);

    String node =
        Cluster.get().client().nodes().list().getItems().getFirst().getMetadata().getName();
    Cluster.get().kubectl("label", "node", node, "images=" + NAMESPACE.name()).text();
    awaitPrePulled("ahead", "True", "Present", Vm.BOOT);
    assertThat(status("ahead").nodes())
        .containsExactly(
            new VirtualMachineImageStatus.Node(
                node, "Present", null, null, server.url() + "/ahead.qcow2"));
    assertThat(status("ahead").virtualMachines()).isZero();

    server.withdraw("ahead.qcow2");
    Vm vm = vm("ahead", "ahead");
    vm.awaitReady();
    vm.delete();
    awaitUsers("ahead", 0);

    Cluster.get().kubectl("delete", "qvmi", "ahead").text();
    Awaitility.await("what fetched it goes with it")
        .atMost(Vm.BOOT)
        .until(() -> prePullPods().isEmpty());
    Cluster.get().kubectl("label", "node", node, "images-").text();
  }

  @Test
  void nodeThatCannotFetchSaysWhyAndGoesOn() {
    server.publish("wrong.qcow2");
    String spec =
        """
          sources: [{http: {url: "%s/wrong.qcow2"}}]
          checksum: %s
          prePull: {}
        """;
    image("wrong", spec.formatted(server.url(), "sha256:" + "0a".repeat(32)));
    awaitPrePulled("wrong", "False", "FetchFailed", Vm.BOOT);
    assertThat(prePulled("wrong").orElseThrow().getMessage())
        .contains("0 of 1 nodes", "ChecksumMismatch", server.checksum("wrong.qcow2"));
    awaitNode("wrong", "Failed");

    image("wrong", spec.formatted(server.url(), server.checksum("wrong.qcow2")));
    awaitPrePulled("wrong", "True", "Present", Vm.BOOT);
    assertThat(status("wrong").nodes())
        .extracting(VirtualMachineImageStatus.Node::state)
        .containsExactly("Present");
    Cluster.get().kubectl("delete", "qvmi", "wrong").text();
  }

  private static List<Pod> prePullPods() {
    return Cluster.get()
        .client()
        .pods()
        .inNamespace(Installation.NAMESPACE)
        .withLabel("app.kubernetes.io/component", "prepull")
        .list()
        .getItems();
  }

  private static void awaitNode(String image, String state) {
    Awaitility.await(image + ": a node where it is " + state)
        .atMost(Vm.TOLD)
        .until(
            () -> status(image).nodes(),
            nodes -> nodes.stream().anyMatch(node -> node.state().equals(state)));
  }

  private static void awaitPrePulled(
      String image, String status, String reason, Duration patience) {
    Awaitility.await(image + ": PrePulled=" + status + " " + reason)
        .atMost(patience)
        .until(
            () -> prePulled(image),
            condition ->
                condition
                    .filter(c -> c.getStatus().equals(status) && c.getReason().equals(reason))
                    .isPresent());
  }

  private static Optional<Condition> prePulled(String image) {
    return Optional.ofNullable(status(image))
        .flatMap(status -> ConditionList.find(status.conditions(), "PrePulled"));
  }

  @Test
  void fileOfTheUsersMachineIsUploaded(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("mine.qcow2");
    server.download(file);
    Outcome upload = upload("mine", file);
    assertThat(upload.exitCode()).as("%s", upload).isZero();
    assertThat(upload.stdout()).endsWith("done: source: {image: mine}\n");
    assertThat(upload.stderr()).as("how far it is").containsPattern("bytes .* copied");
    Vm vm = vm("mine", "mine");
    vm.awaitReady();
    vm.resource().delete();

    assertThat(upload("mine", file).stdout())
        .as("what is there is not transferred again")
        .doesNotContain("bytes of it");
    assertThat(upload("mine", directory.resolve("none.qcow2")).stderr())
        .contains("there is no file");
  }

  private static Outcome upload(String name, Path file) {
    return Outcome.of(
        List.of(
            "env",
            "KUBECTL=%s -n %s"
                .formatted(String.join(" ", Cluster.get().kubectlCommand()), NAMESPACE.name()),
            "IMAGE=" + Installation.image("runner"),
            "examples/upload/upload",
            name,
            file.toString()));
  }

  @Test
  void compressedImageIsUnpacked() {
    server.publishCompressed("small.qcow2.gz");
    image(
        "small",
        """
          sources: [{http: {url: "%s/small.qcow2.gz"}}]
          checksum: %s
          format: qcow2
        """
            .formatted(server.url(), server.publishedChecksum("small.qcow2.gz")));
    Vm vm = vm("unpacked", "small");
    vm.awaitReady();
    assertThat(vm.status().disks().getFirst().digest())
        .as("of the file as it is published")
        .isEqualTo(server.publishedChecksum("small.qcow2.gz"));
    vm.resource().delete();
  }

  @Test
  void whatIsPublishedLaterComesWithARefreshOnly() {
    server.publish("rolling.qcow2");
    image(
        "rolling",
        """
          sources: [{http: {url: "%s/rolling.qcow2"}}]
          checksumUrl: %s
        """
            .formatted(server.url(), server.publishSums()));
    Vm older = vm("older", "rolling");
    older.awaitReady();
    String before = await("rolling", "True", "Resolved", Vm.TOLD).digest();

    server.publishCompressed("rolling.qcow2"); // other content under the same name
    server.publishSums();
    Vm same = vm("same", "rolling");
    same.awaitReady();
    assertThat(same.status().disks().getFirst().digest()).isEqualTo(before);

    Cluster.get()
        .kubectl(
            "annotate",
            "qvmi",
            "rolling",
            "qemu-operator.dev/refresh-requested-at=" + Instant.now())
        .text();
    Awaitility.await("the digest of what is published now")
        .atMost(Vm.TOLD)
        .until(() -> server.publishedChecksum("rolling.qcow2").equals(status("rolling").digest()));
    Vm newer = vm("newer", "rolling");
    newer.awaitReady();
    assertThat(newer.status().disks().getFirst().digest())
        .isEqualTo(status("rolling").digest())
        .isNotEqualTo(before);
    older.awaitReady();
    assertThat(older.status().disks().getFirst().digest()).isEqualTo(before);
    for (Vm vm : new Vm[] {older, same, newer}) {
      vm.resource().delete();
    }
  }

  @Test
  void vmWaitsForItsImageAndSaysWhy() {
    Vm vm = vm("waits", "late");
    // another test may have killed the operator a moment ago
    vm.awaitCondition("DisksReady", "False", "ImageNotFound", Vm.BOOT);
    assertThat(vm.condition("Running").orElseThrow().getMessage()).contains("late");

    image(
        "late",
        """
          sources: [{http: {url: "%1$s/late.qcow2"}}]
          checksumUrl: %1$s/SHA256SUMS
        """
            .formatted(server.url()));
    vm.awaitCondition("DisksReady", "False", "ImageNotReady", Vm.TOLD);
    assertThat(vm.condition("DisksReady").orElseThrow().getMessage())
        .contains("late.qcow2", "HTTP status 404");
    assertThat(await("late", "False", "SourceUnavailable", Vm.TOLD).source()).isNull();

    server.publish("late.qcow2");
    server.publishSums();
    await("late", "True", "Resolved", ASKED_AGAIN);
    vm.awaitReady();
    assertThat(vm.eventReasons()).contains("ImageNotFound", "ImageNotReady", "Ready");
    vm.resource().delete();
  }

  @Test
  void imageThatNamesAnotherFileIsRefused() {
    server.publishWithBackingFile("evil.qcow2", "/etc/shadow");
    image(
        "evil",
        """
          sources: [{http: {url: "%s/evil.qcow2"}}]
          checksum: %s
        """
            .formatted(server.url(), server.publishedChecksum("evil.qcow2")));
    Vm vm = vm("refused", "evil");
    vm.awaitCondition("DisksReady", "False", "ImageRefused", Duration.ofSeconds(30));
    assertThat(vm.condition("DisksReady").orElseThrow().getMessage())
        .contains("/etc/shadow", "qemu-img convert");
    assertThat(vm.status().state()).isNotEqualTo("Running");
    vm.resource().delete();
  }

  /** What takes longer with a large image is that it comes to the node, once. */
  @Test
  void neitherSecondStartNorBootDependsOnTheImagesSize() {
    Map<String, Integer> sizes = new TreeMap<>(Map.of("mb120", 120, "mb1000", 1000));
    sizes.forEach(
        (image, megabytes) -> {
          String file = image + ".qcow2";
          server.publishLarge(file, megabytes);
          image(
              image,
              """
                sources: [{http: {url: "%s/%s"}}]
                checksum: %s
              """
                  .formatted(server.url(), file, server.publishedChecksum(file)));
          System.err.printf("images: %s: cold %s%n", image, start("cold-" + image, image));
          server.withdraw(file);
        });
    Map<String, List<Start>> warm = new TreeMap<>();
    for (int i = 0; i < 3; i++) { // in turns: what else the machine does meets both
      for (String image : sizes.keySet()) {
        warm.computeIfAbsent(image, none -> new ArrayList<>())
            .add(start("warm-" + i + "-" + image, image));
      }
    }
    System.err.printf("images: warm %s%n", warm);
    assertThat(difference(warm, Start::running)).as("%s", warm).isLessThan(NOISE);
    assertThat(difference(warm, Start::booted)).as("%s", warm).isLessThan(NOISE_OF_BOOTS);
  }

  /**
   * Times from apply.
   *
   * @param running QEMU runs the guest
   * @param booted the guest answers
   */
  private record Start(Duration running, Duration booted) {}

  /** Of both images' medians. */
  private static Duration difference(
      Map<String, List<Start>> starts, Function<Start, Duration> time) {
    List<Duration> medians =
        starts.values().stream()
            .map(of -> of.stream().map(time).sorted().toList().get(of.size() / 2))
            .toList();
    return medians.getFirst().minus(medians.getLast()).abs();
  }

  /** Of a guest that is removed then. */
  private static Start start(String name, String image) {
    Instant applied = Instant.now();
    Vm vm = ephemeral(name, image, "readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}");
    vm.awaitCondition("Running", "True", "Running", Vm.BOOT);
    Duration running = Duration.between(applied, Instant.now());
    vm.awaitReady();
    Duration booted = Duration.between(applied, Instant.now());
    vm.resource().withGracePeriod(0).delete();
    vm.pod().withGracePeriod(0).delete();
    return new Start(running, booted);
  }

  /** The node's cache gets a small file system of its own. */
  @Test
  void nodeWithoutRoomForAnImageSaysSoAndGoesOnOnceThereIsRoom() {
    server.publish("crowded.qcow2");
    image(
        "crowded",
        """
          sources: [{http: {url: "%s/crowded.qcow2"}}]
          checksum: %s
        """
            .formatted(server.url(), server.checksum("crowded.qcow2")));
    Cluster.get()
        .onNode(
            "sh", "-c", "mkdir -p %1$s && mount -t tmpfs -o size=1m cache %1$s".formatted(CACHE))
        .text();
    try {
      Vm vm = ephemeral("crowded", "crowded");
      vm.awaitCondition("DisksReady", "False", "CacheFull", Vm.BOOT);
      assertThat(vm.condition("DisksReady").orElseThrow().getMessage())
          .contains("crowded.qcow2", "make room there");
      Cluster.get().onNode("mount", "-o", "remount,size=512m", CACHE).text();
      vm.awaitCondition("Running", "True", "Running", Vm.BOOT);
      assertThat(vm.eventReasons()).contains("CacheFull");
      vm.delete();
    } finally {
      Cluster.get().onNode("umount", "-l", CACHE).text();
    }
  }

  @Test
  void tenVmsShareOneBase() {
    server.publish("shared.qcow2");
    image(
        "shared",
        """
          sources: [{http: {url: "%s/shared.qcow2"}}]
          checksum: %s
        """
            .formatted(server.url(), server.checksum("shared.qcow2")));
    Vm first = ephemeral("shares-0", "shared");
    first.awaitCondition("Running", "True", "Running", Vm.BOOT);
    server.withdraw("shared.qcow2");
    List<Vm> vms =
        IntStream.range(0, 10)
            .mapToObj(i -> i == 0 ? first : ephemeral("shares-" + i, "shared"))
            .toList();
    vms.forEach(vm -> vm.awaitCondition("Running", "True", "Running", Vm.BOOT));
    long baseBytes = bytesOnNode(base("shared"));
    long overlays =
        vms.stream()
            .mapToLong(
                vm ->
                    bytesOnNode(
                        "/var/lib/kubelet/pods/%s/volumes/kubernetes.io~empty-dir/disk-root"
                            .formatted(vm.podUid())))
            .sum();
    System.err.printf("images: base %d bytes, ten overlays %d bytes%n", baseBytes, overlays);
    assertThat(overlays / 10)
        .as("an overlay, of a base of %d", baseBytes)
        .isLessThan(baseBytes / 3);
    vms.forEach(vm -> vm.resource().delete());
  }

  @Test
  void nodeMakesRoomForAnotherImageOfWhatNobodyNeeds() {
    for (String name : List.of("needed", "unneeded", "another")) {
      server.publish(name + ".qcow2");
      image(
          name,
          """
            sources: [{http: {url: "%s/%s.qcow2"}}]
            checksum: %s
          """
              .formatted(server.url(), name, server.checksum(name + ".qcow2")));
    }
    Vm halted =
        Vm.apply(
            NAMESPACE.name(),
            "halted",
            Vm.tinyManifest("halted", "unused")
                .replace(
                    "{containerImage: {image: \"unused\"}}",
                    "{image: needed}\n    selfContained: false"));
    halted.awaitReady();
    halted.setRunStrategy("Halted");
    halted.awaitCondition("Running", "False", "Halted", Vm.BOOT);
    Vm passing = ephemeral("passing", "unneeded");
    passing.awaitCondition("Running", "True", "Running", Vm.BOOT);
    passing.delete();
    for (String name : List.of("needed", "unneeded")) {
      Cluster.get().onNode("touch", "-d", "2020-01-01 00:00", base(name)).text();
    }

    Vm another = ephemeral("another", "another");
    another.awaitCondition("Running", "True", "Running", Vm.BOOT);
    assertThat(Cluster.get().onNode("ls", base("unneeded")).exitCode())
        .as("not asked for in years")
        .isNotZero();
    assertThat(Cluster.get().onNode("ls", base("needed")).exitCode())
        .as("a disk of a halted VM reads from it")
        .isZero();
    halted.setRunStrategy("Always");
    halted.awaitReady();
    another.resource().delete();
    halted.resource().delete();
  }

  private static String base(String image) {
    return CACHE + "/sha256/" + server.checksum(image + ".qcow2").replace("sha256:", "");
  }

  private static long bytesOnNode(String path) {
    return Long.parseLong(
        Cluster.get().onNode("du", "-s", "--block-size=1", path).text().split("\\s")[0]);
  }

  private static Vm ephemeral(String name, String image, String... moreSpec) {
    return Vm.apply(
        NAMESPACE.name(),
        name,
        """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: %s}
        spec:
          memory: {size: 96Mi}
          terminationGracePeriodSeconds: 5
          disks: [{name: root, source: {image: %s}, storage: {ephemeral: {}}}]
        """
                .formatted(name, image)
            + Vm.furtherSpec(moreSpec));
  }

  private static Vm vm(String name, String image) {
    return Vm.apply(
        NAMESPACE.name(),
        name,
        Vm.tinyManifest(name, "unused")
            .replace("{containerImage: {image: \"unused\"}}", "{image: " + image + "}"));
  }

  private static void image(String name, String spec) {
    Vm.apply(
        NAMESPACE.name(),
        """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachineImage
            metadata: {name: %s, labels: {test: images}}
            spec:
            %s
            """
            .formatted(name, spec));
  }

  private static void awaitUsers(String name, int count) {
    Awaitility.await(count + " users of " + name)
        .atMost(Vm.TOLD)
        .until(() -> Integer.valueOf(count).equals(status(name).virtualMachines()));
  }

  private static VirtualMachineImageStatus await(
      String name, String status, String reason, Duration patience) {
    return Awaitility.await(name + ": Ready=" + status + " " + reason)
        .atMost(patience)
        .until(
            () -> status(name),
            now ->
                now != null
                    && ConditionList.find(now.conditions(), "Ready")
                        .filter(c -> c.getStatus().equals(status) && c.getReason().equals(reason))
                        .isPresent());
  }

  private static VirtualMachineImageStatus status(String name) {
    Resource<VirtualMachineImage> resource =
        Cluster.get().client().resources(VirtualMachineImage.class).withName(name);
    return Optional.ofNullable(resource.get()).map(VirtualMachineImage::getStatus).orElse(null);
  }
}
