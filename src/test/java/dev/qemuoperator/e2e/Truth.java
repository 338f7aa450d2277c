package dev.qemuoperator.e2e;

import dev.qemuoperator.cluster.Cluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What QEMU itself says, about once a second, of every guest on the node. It is asked by the socket
 * of its pod's PID 1, so neither the operator nor the API server has a part in the answer.
 */
final class Truth implements AutoCloseable {

  /** QEMU runs, and does not answer. */
  static final String SILENT = "silent";

  /**
   * One look at the node.
   *
   * @param states of each QEMU process by its guest's name: its RunState, or {@link #SILENT}
   */
  record Look(Map<String, List<String>> states) {}

  /** Ends with its input, because docker does not end what it has executed. */
  private static final String LOOKS =
      """
      exec 3<&0
      { cat <&3 >/dev/null; kill $$; } &
      ask() {
        name=$(tr '\\0' '\\n' < /proc/$1/cmdline | sed -n 's/^guest=\\([^,]*\\),.*/\\1/p')
        answer=$(chroot /proc/$1/root sh -c '{
            echo "{\\"execute\\":\\"qmp_capabilities\\"}{\\"execute\\":\\"query-status\\"}"
            sleep 0.4
          } | timeout 1 nc.openbsd -N -U /run/vm/qmp.sock')
        # events have a status, too
        state=$(echo "$answer" | sed -n 's/.*"return": {.*"status": "\\([a-z-]*\\)".*/\\1/p' | head -n 1)
        [ -z "$name" ] || echo "$name ${state:-silent}"
      }
      while :; do
        for process in $(pidof qemu-system-x86_64); do ask $process & asked="${asked:-} $!"; done
        wait ${asked:-}
        asked=
        echo end
        sleep 0.3
      done 2>/dev/null
      """;

  private final Process looks;

  private Truth(Process looks) {
    this.looks = looks;
  }

  /** Looks again and again, until it is closed. */
  static Truth watch(Consumer<Look> listener) {
    List<String> command = new ArrayList<>(Cluster.get().nodeCommand());
    command.addAll(List.of("sh", "-c", LOOKS));
    try {
      Process looks = new ProcessBuilder(command).start();
      Thread.ofVirtual().name("truth").start(() -> read(looks.inputReader(), listener));
      return new Truth(looks);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void read(BufferedReader lines, Consumer<Look> listener) {
    Map<String, List<String>> states = new TreeMap<>();
    for (String line : (Iterable<String>) lines.lines()::iterator) {
      if (line.equals("end")) {
        listener.accept(new Look(states));
        states = new TreeMap<>();
      } else {
        String[] words = line.split(" ");
        states.computeIfAbsent(words[0], name -> new ArrayList<>()).add(words[1]);
      }
    }
  }

  @Override
  public void close() throws IOException {
    looks.getOutputStream().close();
  }
}
