package dev.qemuoperator.e2e;

import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A LAN that exists on the node alone: a bridge in the node's network namespace, which a pod makes,
 * and one host on it, in a network namespace of its own.
 */
record TestLan(String namespace, String bridge, String address) implements AutoCloseable {

  private static final String POD = "lan-of-the-test";
  private static final String PREFIX = "/24";

  /**
   * @param bridge at most 10 characters
   * @param address of the host, in a network of 24 bits
   */
  static TestLan start(String namespace, String bridge, String address) {
    Vm.apply(
        namespace,
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: lan-of-the-test}
        spec:
          hostNetwork: true
          terminationGracePeriodSeconds: 0
          containers:
          - name: node
            image: "%1$s"
            securityContext: {privileged: true}
            readinessProbe: {exec: {command: [test, -e, /tmp/host]}, periodSeconds: 1}
            command: [sh, -c]
            args:
            - |
              ip link add %2$s type bridge
              ip link set %2$s up
              unshare -n sleep infinity &
              host=$!
              until [ "$(readlink /proc/$host/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
              ip link add %2$s-host type veth peer name eth0 netns $host
              ip link set %2$s-host master %2$s up
              nsenter -t $host -n ip link set eth0 up
              nsenter -t $host -n ip addr add %3$s dev eth0
              echo $host > /tmp/host
              exec sleep infinity
        """
            .formatted(Installation.image("runner"), bridge, address + PREFIX));
    Cluster.get()
        .client()
        .pods()
        .inNamespace(namespace)
        .withName(POD)
        .waitUntilReady(1, TimeUnit.MINUTES);
    return new TestLan(namespace, bridge, address);
  }

  /** The node that has it. */
  String nodeName() {
    return Cluster.get()
        .client()
        .pods()
        .inNamespace(namespace)
        .withName(POD)
        .require()
        .getSpec()
        .getNodeName();
  }

  /** Runs a shell script as the LAN's host. */
  Outcome host(String script) {
    return pod("nsenter -t $(cat /tmp/host) -n sh -c '" + script + "'");
  }

  /** Runs a shell script in the node's network namespace. */
  Outcome node(String script) {
    return pod(script);
  }

  /** All links of the node but those of pods on the pod network, whose number is nobody's. */
  List<String> links() {
    return node("ip -o link | sed -n \"s/^[0-9]*: \\([^@:]*\\).*master %s .*/\\1/p\""
            .formatted(bridge))
        .text()
        .lines()
        .sorted()
        .toList();
  }

  private Outcome pod(String script) {
    List<String> command = new ArrayList<>(Cluster.get().kubectlCommand());
    command.addAll(List.of("exec", "-n", namespace, POD, "--", "sh", "-c", script));
    return Outcome.of(command);
  }

  @Override
  public void close() {
    node("ip link del " + bridge);
    Cluster.get().client().pods().inNamespace(namespace).withName(POD).delete();
  }
}
