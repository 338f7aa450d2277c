package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every example works as it is. */
class ExamplesE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final Path EXAMPLES = Path.of("examples");

  @BeforeAll
  static void install() {
    Installation.get();
    Installation.loadAs("guest-tiny", "ghcr.io/qemu-operator/guest-tiny:1");
    Installation.loadAs("guest-debian", "ghcr.io/qemu-operator/guest-debian:13");
  }

  /** Of the example that needs one. */
  private Optional<TestLan> lan = Optional.empty();

  static Stream<String> names() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".yaml"))
          .map(name -> name.substring(0, name.length() - ".yaml".length()))
          .sorted()
          .toList()
          .stream();
    }
  }

  /** The VM of an example has the example's name. */
  @ParameterizedTest
  @MethodSource("names")
  void becomesReady(String name) throws IOException {
    Vm vm = Vm.apply(NAMESPACE.name(), name, manifest(name));
    String reason = name.equals("halted") ? "Halted" : "Running";
    vm.awaitCondition("Ready", "True", reason, Duration.ofMinutes(8));
    lan.ifPresent(on -> reachesTheGuest(on, vm));
    vm.resource().delete();
  }

  /** At the address that cloud-init has given to it. */
  private static void reachesTheGuest(TestLan lan, Vm vm) {
    assertThat(lan.host("nc.openbsd -z -w 5 192.168.86.53 22").exitCode()).isZero();
    vm.await(
        "the guest's own word for it",
        Vm.BOOT,
        now -> {
          VirtualMachineStatus.Network card = now.networks().getLast();
          return "Guest".equals(card.source()) && card.addresses().contains("192.168.86.53");
        });
    assertThat(vm.condition("NetworkReady").orElseThrow().getStatus()).isEqualTo("True");
    lan.close();
  }

  /**
   * Tests reach no server of the world: the cluster's own has the tiny guest's CD instead, and the
   * node a file.
   */
  private String manifest(String name) throws IOException {
    String manifest = Files.readString(EXAMPLES.resolve(name + ".yaml"));
    if (manifest.contains("kind: BridgeNetwork")) {
      lan = Optional.of(TestLan.start(NAMESPACE.name(), "br0", "192.168.86.1"));
    }
    if (manifest.contains("hostPath:")) {
      TinyDisk disk = TinyDisk.named(name);
      disk.putOnNode("/srv/images/debian/13.qcow2");
      return manifest.replaceAll("checksum: sha256:0*\\b", "checksum: " + disk.checksum());
    }
    if (!manifest.contains(".iso\n")) {
      return manifest;
    }
    ImageServer server = ImageServer.start(NAMESPACE.name());
    server.publish("installer.iso");
    return manifest
        .replaceAll("url: https:.*\\.iso\n", "url: " + server.url() + "/installer.iso\n")
        .replaceAll("checksumUrl: .*", "checksumUrl: " + server.publishSums());
  }

  @Test
  void installerIsBootedFromItsCd() throws IOException {
    String name = "boots-its-cd";
    Vm vm =
        Vm.apply(
            NAMESPACE.name(),
            name,
            manifest("install-from-iso").replace("name: install-from-iso", "name: " + name)
                + "  readinessProbe: {tcpSocket: {port: 80}}\n");
    vm.awaitReady();
    assertThat(vm.run("cat /proc/cmdline")).contains("tiny.from=cdrom");
    vm.resource().delete();
  }

  @Test
  void blankDiskHoldsWhatTheGuestWrites() throws IOException {
    String manifest = Files.readString(EXAMPLES.resolve("blank-data-disk.yaml"));
    String name = "data-is-kept";
    Vm vm =
        Vm.apply(
            NAMESPACE.name(),
            name,
            manifest.replace("name: blank-data-disk", "name: " + name)
                + "  readinessProbe: {tcpSocket: {port: 80}}\n");
    vm.awaitReady();
    vm.run("echo precious | dd of=$(disk data) conv=fsync");
    String pod = vm.podUid();
    vm.pod().delete();
    vm.await("a new pod", Vm.BOOT, status -> !vm.podUid().isEmpty() && !vm.podUid().equals(pod));
    vm.awaitReady();
    assertThat(vm.run("head -c 8 $(disk data)")).isEqualTo("precious");
    assertThat(vm.boots()).as("its root disk is ephemeral").isEqualTo(1);

    vm.delete();
    Cluster.get()
        .client()
        .persistentVolumeClaims()
        .inNamespace(vm.namespace())
        .withName(name + "-data")
        .waitUntilCondition(claim -> claim == null, 60, java.util.concurrent.TimeUnit.SECONDS);
  }

  @Test
  void uefiGuestBootsFromItsFirmware() throws IOException {
    Vm vm =
        Vm.apply(
            NAMESPACE.name(),
            "uefi-boots",
            Files.readString(EXAMPLES.resolve("uefi.yaml"))
                    .replace("name: uefi\n", "name: uefi-boots\n")
                + "  readinessProbe: {tcpSocket: {port: 80}}\n");
    vm.awaitReady();
    assertThat(vm.run("test -d /sys/firmware/efi && echo UEFI").strip()).isEqualTo("UEFI");
    vm.resource().delete();
  }
}
