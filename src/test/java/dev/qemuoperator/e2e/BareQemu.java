package dev.qemuoperator.e2e;

import dev.qemuoperator.cluster.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** A VM's own command line without Kubernetes: the runner image in a container of this machine. */
record BareQemu(Path directory, String guestImage) {

  /** Where docker lacks a capability it cannot hand it on; then all others, by name. */
  private static final List<String> NAMED_RIGHTS =
      List.of(
          "--cap-add=ALL",
          "--cap-drop=SYS_RESOURCE",
          "--security-opt=seccomp=unconfined",
          "--security-opt=apparmor=unconfined",
          "--security-opt=systempaths=unconfined",
          "--device=/dev/net/tun");

  /** Seconds from QEMU's start to a line of the console. */
  double bootSeconds(
      List<String> command,
      List<String> arguments,
      Map<String, String> tls,
      Map<String, String> seed,
      Pattern booted,
      Duration patience)
      throws IOException {
    String digest = prepare(tls, seed);
    List<String> docker = new ArrayList<>(List.of("docker", "run", "-d", "-i", "-t"));
    docker.addAll(rights());
    for (String path : List.of("run/vm", "disks", "cache", "handover", "seed", "tls")) {
      docker.addAll(List.of("-v", directory.resolve(path) + ":/" + path));
    }
    docker.addAll(List.of("--entrypoint", command.getFirst(), Installation.image("runner")));
    docker.addAll(command.subList(1, command.size()));
    docker.addAll(arguments);
    String container = Outcome.of(docker).text();
    try {
      return Awaitility.await("bare boot on base " + digest)
          .atMost(patience)
          .pollInterval(PerformanceE2E.LOOK)
          .until(() -> seconds(container, booted), value -> value > 0);
    } finally {
      Outcome.of(List.of("docker", "rm", "-f", "-v", container)).text();
      Outcome.of(List.of("rm", "-rf", directory.toString())).text();
    }
  }

  private static List<String> rights() {
    List<String> trial =
        List.of(
            "docker",
            "run",
            "--rm",
            "--privileged",
            "--entrypoint",
            "true",
            Installation.image("runner"));
    return Outcome.of(trial).exitCode() == 0 ? List.of("--privileged") : NAMED_RIGHTS;
  }

  private double seconds(String container, Pattern booted) throws IOException {
    String log = Outcome.of(List.of("docker", "logs", "--timestamps", container)).stdout();
    Path started = directory.resolve("run/vm/started");
    return log.lines()
        .filter(line -> booted.matcher(line).find())
        .findFirst()
        .map(line -> PerformanceE2E.toUptime(Instant.parse(line.split(" ", 2)[0])))
        .map(at -> at - Double.parseDouble(read(started)))
        .orElse(0.0);
  }

  private String prepare(Map<String, String> tls, Map<String, String> seed) throws IOException {
    for (String path : List.of("run/vm", "disks/root", "cache/sha256", "handover", "seed", "tls")) {
      Files.createDirectories(directory.resolve(path));
    }
    write(directory.resolve("tls"), tls);
    write(directory.resolve("seed"), seed);
    Path disk = directory.resolve("cache/sha256/disk");
    String container = Outcome.of(List.of("docker", "create", guestImage, "-")).text();
    Outcome.of(List.of("docker", "cp", container + ":/disk/disk.qcow2", disk.toString())).text();
    Outcome.of(List.of("docker", "rm", "-v", container)).text();
    String digest = Outcome.of(List.of("sha256sum", disk.toString())).text().split(" ")[0];
    Files.move(disk, disk.resolveSibling(digest));
    Files.writeString(directory.resolve("handover/digest-root"), digest + "\n");
    // the test's own directory is nobody else's to enter; QEMU's user must read below it
    Outcome.of(List.of("chmod", "-R", "a+rX", directory.toString())).text();
    return digest;
  }

  private static void write(Path folder, Map<String, String> files) throws IOException {
    for (Map.Entry<String, String> file : files.entrySet()) {
      Files.writeString(folder.resolve(file.getKey()), file.getValue());
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
