package dev.qemuoperator.e2e;

import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.Outcome;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A LAN that exists on the node alone: a bridge in the node's network namespace, which a pod makes,
 * and one host on it, in a network namespace of its own; busybox's DHCP server can run there.
 */
record TestLan(String namespace, String bridge, String address) implements AutoCloseable {

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
        metadata: {name: %2$s-lan}
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
    TestLan lan = new TestLan(namespace, bridge, address);
    lan.pod().waitUntilReady(1, TimeUnit.MINUTES);
    return lan;
  }

  private PodResource pod() {
    return Cluster.get().client().pods().inNamespace(namespace).withName(bridge + "-lan");
  }

  /** The node that has it. */
  String nodeName() {
    return pod().require().getSpec().getNodeName();
  }

  /** From now on the host gives addresses, and itself as the router and the name server. */
  void serveDhcp(String start, String end) {
    host("""
        cat > /tmp/udhcpd.conf <<END
        start %s
        end %s
        interface eth0
        lease_file /tmp/leases
        pidfile /tmp/udhcpd.pid
        option subnet 255.255.255.0
        option router %3$s
        option dns %3$s
        END
        touch /tmp/leases
        busybox udhcpd /tmp/udhcpd.conf
        """
            .formatted(start, end, address))
        .text();
  }

  /** Runs a shell script as the LAN's host. */
  Outcome host(String script) {
    return node(onHost("sh -c '" + script + "'"));
  }

  /** What a shell of this machine runs for a connection from the LAN's host to a port. */
  String connection(String address, int port) {
    return "%s -i -- sh -c '%s'"
        .formatted(String.join(" ", exec()), onHost("nc.openbsd %s %d".formatted(address, port)));
  }

  private static String onHost(String command) {
    return "nsenter -t $(cat /tmp/host) -n " + command;
  }

  /** Runs a shell script in the node's network namespace. */
  Outcome node(String script) {
    List<String> command = exec();
    command.addAll(List.of("--", "sh", "-c", script));
    return Outcome.of(command);
  }

  private List<String> exec() {
    List<String> command = new ArrayList<>(Cluster.get().kubectlCommand());
    command.addAll(List.of("exec", "-n", namespace, bridge + "-lan"));
    return command;
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

  @Override
  public void close() {
    node("ip link del " + bridge);
    pod().delete();
  }
}
