package dev.qemuoperator.e2e;

import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The tiny guest's disk, as a file of this machine. */
record TinyDisk(Path file) {

  /** Each name has its own content, behind the disk's end: no cache of another test knows it. */
  static TinyDisk named(String name) {
    try {
      Path file = Files.createTempFile(name, ".qcow2");
      file.toFile().deleteOnExit();
      String container =
          Outcome.of(List.of("docker", "create", Installation.image("guest-tiny"), "-"))
              .text()
              .strip();
      Outcome.of(List.of("docker", "cp", container + ":/disk/disk.qcow2", file.toString())).text();
      Outcome.of(List.of("docker", "rm", container)).text();
      Files.writeString(file, name, StandardOpenOption.APPEND);
      return new TinyDisk(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String checksum() {
    try {
      byte[] content = Files.readAllBytes(file);
      return "sha256:"
          + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** Copies it to a path of the node. */
  void putOnNode(String path) {
    put(Cluster.get().nodeCommand(), path);
  }

  /** Copies it to a path in a pod. */
  void putInPod(String namespace, String pod, String path) {
    put(
        Stream.concat(
                Cluster.get().kubectlCommand().stream(),
                Stream.of("exec", "-i", "-n", namespace, pod, "--"))
            .toList(),
        path);
  }

  /** Under another name first: who reads it sees all of it or nothing. */
  private void put(List<String> command, String path) {
    List<String> program =
        Stream.concat(
                command.stream(),
                Stream.of(
                    "sh",
                    "-c",
                    "mkdir -p \"${0%/*}\" && cat > \"$0.new\" && mv \"$0.new\" \"$0\"",
                    path))
            .toList();
    try {
      int code =
          new ProcessBuilder(program)
              .redirectInput(file.toFile())
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start()
              .waitFor();
      if (code != 0) {
        throw new IOException("%s ended with %d".formatted(program, code));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a file was copied", e);
    }
  }
}
