package dev.qemuoperator.cluster;

import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.testcontainers.k3s.K3sContainer;
import org.testcontainers.utility.DockerImageName;

/** A cluster of one node in a container, which lives no longer than this JVM. */
final class Node extends K3sContainer {

  /** Those that docker itself may lack, or, as release 20.10 does, not know. */
  private static final EnumSet<Capability> NOT_EVERYWHERE =
      EnumSet.of(
          Capability.ALL,
          Capability.SYS_RESOURCE,
          Capability.BPF,
          Capability.CHECKPOINT_RESTORE,
          Capability.PERFMON);

  /**
   * With 1, its default, the kubelet forgets how a container ended if it clears up between the
   * creation and the start of the next.
   */
  private static final String KEEP_HOW_IT_ENDED =
      "--kubelet-arg=maximum-dead-containers-per-container=2";

  private Node(String image) {
    super(DockerImageName.parse(image).asCompatibleSubstituteFor("rancher/k3s"));
    setCommandParts(
        Stream.concat(Stream.of(getCommandParts()), Stream.of(KEEP_HOW_IT_ENDED))
            .toArray(String[]::new));
  }

  static Node start(String image) {
    requireKnownHost();
    Node node = new Node(image);
    node.withStartupTimeout(Duration.ofMinutes(3));
    if (!canBePrivileged(image)) {
      node.withNamedCapabilities();
    }
    node.start();
    return node;
  }

  /**
   * In a container Testcontainers looks for docker behind the gateway, by means of an image that
   * cannot be pulled everywhere. Next to docker itself, that search fails after four minutes.
   */
  private static void requireKnownHost() {
    if (Files.exists(Path.of("/.dockerenv"))
        && Files.exists(Path.of("/sys/class/net/docker0"))
        && System.getenv("TESTCONTAINERS_HOST_OVERRIDE") == null) {
      throw new IllegalStateException(
          "docker runs in this same container: set TESTCONTAINERS_HOST_OVERRIDE=localhost, as"
              + " ./test does");
    }
  }

  /**
   * Docker cannot hand on a capability that it lacks, as in some containers. Only a trial tells.
   */
  private static boolean canBePrivileged(String image) {
    var trial = List.of("docker", "run", "--rm", "--privileged", "--entrypoint", "true", image);
    return Outcome.of(trial).exitCode() == 0;
  }

  private void withNamedCapabilities() {
    Capability[] capabilities = EnumSet.complementOf(NOT_EVERYWHERE).toArray(Capability[]::new);
    Device[] devices =
        Stream.of("/dev/kmsg", "/dev/kvm", "/dev/loop-control", "/dev/net/tun")
            .filter(path -> Files.exists(Path.of(path)))
            .map(path -> new Device("rwm", path, path))
            .toArray(Device[]::new);
    withPrivilegedMode(false);
    withCreateContainerCmdModifier(
        create ->
            create
                .getHostConfig()
                .withCapAdd(capabilities)
                .withSecurityOpts(List.of("seccomp=unconfined", "apparmor=unconfined"))
                .withDevices(devices)
                // loop devices, which the kubelet makes for volumes of the mode Block
                .withDeviceCgroupRules(List.of("b 7:* rwm")));
  }

  @Override
  protected void containerIsCreated(String id) {
    removeAfterThisJvm(id);
  }

  /**
   * Testcontainers removes the container when this JVM exits, but not when it is killed. This
   * program does: its input ends when the JVM does, however that comes about. It stands in for
   * Ryuk, whose image cannot be pulled everywhere.
   */
  static void removeAfterThisJvm(String container) {
    String reaper = "trap '' HUP INT TERM; cat >/dev/null; exec docker rm -fv " + container;
    try {
      new ProcessBuilder("sh", "-c", reaper)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
