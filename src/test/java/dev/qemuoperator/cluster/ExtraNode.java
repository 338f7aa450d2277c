package dev.qemuoperator.cluster;

import io.fabric8.kubernetes.api.model.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A node that has joined the cluster, to be lost and to come back; until it is closed. */
public final class ExtraNode implements AutoCloseable {

  /** The kubelet, a process of its own or that of the agent as a whole. */
  private static final String SIGNAL_KUBELET =
      """
      for process in /proc/[0-9]*; do
        case $(tr '\\0' ' ' < $process/cmdline) in
          *k3s\\ agent* | */exe\\ kubelet*) kill -"$0" "${process#/proc/}" ;;
        esac
      done 2>/dev/null
      """;

  private static final String CUT =
      """
      change=%s
      for rule in 'INPUT -i' 'OUTPUT -o' 'FORWARD -i' 'FORWARD -o'; do
        iptables $change $rule eth0 -j DROP
      done
      """;

  private static final String PID = "{{.State.Pid}}";
  private static final String CABLE = "cable";

  private final Cluster cluster;
  private final String server;
  private final String container;
  private final String name;

  private ExtraNode(Cluster cluster, String server, String container) {
    this.cluster = cluster;
    this.server = server;
    this.container = container;
    this.name = inspect(container, "{{.Config.Hostname}}");
  }

  static ExtraNode join(Cluster cluster, String server) {
    String address = inspect(server, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
    String token = cluster.onNode("cat", "/var/lib/rancher/k3s/server/node-token").text();
    String container =
        Outcome.of(
                List.of(
                    "images/cluster/run",
                    "qemu-operator-node-" + ProcessHandle.current().pid(),
                    inspect(server, "{{.Config.Image}}"),
                    "agent",
                    "--server=https://" + address + ":6443",
                    "--token=" + token))
            .text();
    dev.qemuoperator.cluster.Node.removeAfterThisJvm(container);
    ExtraNode node = new ExtraNode(cluster, server, container);
    node.awaitReady("True");
    return node;
  }

  /** As Kubernetes has it. */
  public String name() {
    return name;
  }

  /** Gives it an image of this machine's docker. */
  public void load(String image) {
    Cluster.load(image, container);
  }

  /** Waits until Kubernetes says this of the node: True, False or Unknown. */
  public void awaitReady(String status) {
    cluster
        .client()
        .nodes()
        .withName(name)
        .waitUntilCondition(
            node -> node != null && ready(node).equals(status), 3, TimeUnit.MINUTES);
  }

  private static String ready(Node node) {
    return node.getStatus().getConditions().stream()
        .filter(condition -> condition.getType().equals("Ready"))
        .map(condition -> condition.getStatus())
        .findFirst()
        .orElse("");
  }

  /** Makes a bridge, and connects it to the one of the same name that the other node has. */
  public void extend(String bridge) {
    String here = inspect(container, PID);
    String there = inspect(server, PID);
    network(here, "link", "add", bridge, "type", "bridge");
    network(here, "link", "set", bridge, "up");
    network(here, "link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", there);
    for (String end : List.of(here, there)) {
      network(end, "link", "set", CABLE, "master", bridge, "up");
    }
  }

  /** Runs this machine's {@code ip} in the network of a process: a node has a lesser one. */
  private static void network(String pid, String... arguments) {
    List<String> command = new ArrayList<>(List.of("nsenter", "-t", pid, "-n", "ip"));
    command.addAll(List.of(arguments));
    Outcome.of(command).text();
  }

  /** Its kubelet does nothing any more; what runs in pods goes on. */
  public void stopKubelet() {
    signalKubelet("STOP");
  }

  /** Returns when Kubernetes has noticed. */
  public void resumeKubelet() {
    signalKubelet("CONT");
    awaitReady("True");
  }

  private void signalKubelet(String signal) {
    docker("exec", container, "sh", "-c", SIGNAL_KUBELET, signal);
  }

  /** Runs a shell script on it. */
  public void run(String script) {
    docker("exec", container, "sh", "-c", script);
  }

  /** No packet comes from it or gets there any more; what runs on it goes on. */
  public void isolate() {
    run(CUT.formatted("-I"));
  }

  /** Returns when Kubernetes has noticed. */
  public void reconnect() {
    run(CUT.formatted("-D"));
    awaitReady("True");
  }

  /** As if it had lost power for good. */
  public void destroy() {
    docker("rm", "-fv", container);
  }

  @Override
  public void close() {
    Outcome.of(List.of("docker", "rm", "-fv", container));
    cluster.client().nodes().withName(name).delete();
  }

  private static void docker(String... arguments) {
    List<String> command = new ArrayList<>(List.of("docker"));
    command.addAll(List.of(arguments));
    Outcome.of(command).text();
  }

  private static String inspect(String container, String format) {
    return Outcome.of(List.of("docker", "inspect", "-f", format, container)).text();
  }
}
