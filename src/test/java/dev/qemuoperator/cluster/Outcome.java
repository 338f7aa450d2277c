package dev.qemuoperator.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** How a program ended and what it wrote. */
public record Outcome(List<String> command, int exitCode, String stdout, String stderr) {

  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** Runs a program to its end, without input. */
  public static Outcome of(List<String> command) {
    return of(command, "");
  }

  /** Runs a program to its end. */
  static Outcome of(List<String> command, String stdin) {
    try {
      Process process = new ProcessBuilder(command).start();
      CompletableFuture<String> stdout = read(process.getInputStream());
      CompletableFuture<String> stderr = read(process.getErrorStream());
      try (OutputStream in = process.getOutputStream()) {
        in.write(stdin.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // it ended without reading; its exit code says why
      }
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("not done after " + PATIENCE + ": " + command);
      }
      return new Outcome(command, process.exitValue(), stdout.join(), stderr.join());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted: " + command, e);
    }
  }

  /** What it wrote to stdout, without the last line's end; an exception if it failed. */
  public String text() {
    if (exitCode != 0) {
      throw new IllegalStateException(
          "%s ended with %d%n%s%s".formatted(String.join(" ", command), exitCode, stdout, stderr));
    }
    return stdout.strip();
  }

  private static CompletableFuture<String> read(InputStream stream) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        task -> Thread.ofVirtual().start(task));
  }
}
