package dev.qemuoperator.e2e;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.awaitility.Awaitility;

/**
 * OpenSSH's client, whose packets leave from a pod of the cluster and go to the VM's pod address,
 * or from a host of a LAN.
 *
 * @param connection to a VM, what a shell runs for it
 */
record Ssh(Path key, Function<Vm, String> connection) {

  private static final String POD = "ssh-client";

  static Ssh client(String namespace, Path directory) {
    Path key = directory.resolve("id");
    Outcome.of(List.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key.toString())).text();
    Vm.apply(
        namespace,
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: ssh-client}
        spec:
          terminationGracePeriodSeconds: 0
          containers: [{name: relay, image: "%s", command: [sleep, infinity]}]
        """
            .formatted(Installation.image("runner")));
    Cluster.get()
        .client()
        .pods()
        .inNamespace(namespace)
        .withName(POD)
        .waitUntilReady(1, TimeUnit.MINUTES);
    return new Ssh(key, vm -> fromPod(namespace, vm));
  }

  private static String fromPod(String namespace, Vm vm) {
    String address =
        vm.status().networks().stream()
            .filter(network -> VirtualMachineStatus.Network.POD.equals(network.source()))
            .flatMap(network -> network.addresses().stream())
            .findFirst()
            .orElse("");
    return String.join(" ", Cluster.get().kubectlCommand())
        + " exec -i -n %s %s -- nc.openbsd %s 22".formatted(namespace, POD, address);
  }

  /** With the same key, from the LAN's host to an address there. */
  Ssh from(TestLan lan, String address) {
    return new Ssh(key, vm -> lan.connection(address, 22));
  }

  String publicKey() throws IOException {
    return Files.readString(Path.of(key + ".pub")).strip();
  }

  /** Runs a command in the guest as its user demo. */
  String run(Vm vm, String command) {
    return ssh("demo", vm, command, "-o", "BatchMode=yes").text();
  }

  /** What ssh says, whether it works or not. */
  String tryRun(String user, Vm vm, String command) {
    Outcome outcome = ssh(user, vm, command, "-o", "BatchMode=yes");
    return outcome.stdout() + outcome.stderr();
  }

  /** The ways to log in that the guest offers to somebody without a key. */
  String methodsOffered(Vm vm) {
    Outcome outcome =
        ssh("demo", vm, "true", "-o", "BatchMode=yes", "-o", "PreferredAuthentications=none");
    return outcome.stderr();
  }

  /** Tries until a command succeeds and says up. */
  void await(String what, Vm vm, String command, Duration patience) {
    Awaitility.await(what)
        .atMost(patience)
        .pollInterval(Duration.ofSeconds(2))
        .until(() -> ssh("demo", vm, command, "-o", "BatchMode=yes").stdout().contains("up"));
  }

  private Outcome ssh(String user, Vm vm, String command, String... options) {
    List<String> ssh = new ArrayList<>(List.of("ssh", "-i", key.toString()));
    for (String option :
        List.of(
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=20",
            "ProxyCommand=" + connection.apply(vm))) {
      ssh.addAll(List.of("-o", option));
    }
    ssh.addAll(List.of(options));
    ssh.addAll(List.of(user + "@" + vm.name(), command));
    return Outcome.of(ssh);
  }
}
