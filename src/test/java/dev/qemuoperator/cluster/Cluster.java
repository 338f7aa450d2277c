package dev.qemuoperator.cluster;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * The cluster of this test JVM.
 *
 * <p>{@code QEMU_OPERATOR_TEST_KUBECONFIG} names the kubeconfig of a cluster to use. If that
 * cluster is a single node in a container of this machine's docker, {@code QEMU_OPERATOR_TEST_NODE}
 * is the container; {@code ./test cluster up} starts such a one and prints both. Without them, a
 * k3s node is started at first use and removed at the end.
 */
public final class Cluster {

  /**
   * Its answer, or its failure, holds for the whole JVM: nobody waits for the same failure twice.
   */
  private static final FutureTask<Cluster> START = new FutureTask<>(Cluster::start);

  private final String kubeconfig;
  private final Path kubeconfigFile;
  private final Optional<String> node;
  private final KubernetesClient client;

  private Cluster(String kubeconfig, Optional<String> node) {
    this.kubeconfig = kubeconfig;
    this.kubeconfigFile = ownFile(kubeconfig);
    this.node = node;
    this.client =
        new KubernetesClientBuilder().withConfig(Config.fromKubeconfig(kubeconfig)).build();
  }

  /** The cluster, with a node that is ready for pods. */
  public static Cluster get() {
    START.run();
    try {
      return START.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("there is no cluster to test on: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the cluster started", e);
    }
  }

  private static Cluster start() throws IOException {
    long start = System.nanoTime();
    Cluster cluster = given().orElseGet(Cluster::own);
    cluster.waitForNode();
    System.err.printf(
        "cluster: Kubernetes %s, ready after %d s%n",
        cluster.client.getKubernetesVersion().getGitVersion(),
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start));
    return cluster;
  }

  private static Optional<Cluster> given() throws IOException {
    String file = System.getenv("QEMU_OPERATOR_TEST_KUBECONFIG");
    if (file == null || file.isBlank()) {
      return Optional.empty();
    }
    Optional<String> node =
        Optional.ofNullable(System.getenv("QEMU_OPERATOR_TEST_NODE"))
            .filter(name -> !name.isBlank());
    return Optional.of(new Cluster(Files.readString(Path.of(file)), node));
  }

  private static Cluster own() {
    Node node = Node.start(image());
    return new Cluster(node.getKubeConfigYaml(), Optional.of(node.getContainerId()));
  }

  /** k3s or its stand-in; what has to be pulled or built for it is, with its progress shown. */
  private static String image() {
    try {
      Process script = new ProcessBuilder("scripts/cluster-image").start();
      Thread progress =
          Thread.ofVirtual().start(() -> script.errorReader().lines().forEach(System.err::println));
      String image = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      progress.join();
      if (script.waitFor() != 0) {
        throw new IllegalStateException("scripts/cluster-image failed; its messages say why");
      }
      return image.strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the cluster's image was made", e);
    }
  }

  private void waitForNode() {
    client
        .nodes()
        .waitUntilCondition(
            found ->
                found != null
                    && found.getStatus().getConditions().stream()
                        .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True")),
            2,
            TimeUnit.MINUTES);
  }

  /** A client with every right. */
  public KubernetesClient client() {
    return client;
  }

  /** The kubeconfig, as YAML. */
  public String kubeconfig() {
    return kubeconfig;
  }

  /** The kubeconfig, in a file of this JVM. */
  public Path kubeconfigFile() {
    return kubeconfigFile;
  }

  /** Gives the node an image of this machine's docker, if it has none of that name. */
  public void load(String image) {
    if (node.isEmpty()) {
      throw new IllegalStateException(
          "the cluster of QEMU_OPERATOR_TEST_KUBECONFIG cannot be given the image %s: unset the"
                  .formatted(image)
              + " variable, or use the cluster of ./test cluster up, or push the image to a registry"
              + " that the cluster reads and pass its name there");
    }
    load(image, node.get());
  }

  /** Gives a node's container an image of this machine's docker, if it has none of that name. */
  static void load(String image, String container) {
    if (Outcome.of(List.of("docker", "image", "inspect", image)).exitCode() != 0) {
      throw new IllegalStateException(
          "docker has no image %s: make it with images/build, as ./test does".formatted(image));
    }
    String present = "docker exec \"$1\" ctr -n k8s.io images ls -q \"name==$2\"";
    if (Outcome.of(List.of("sh", "-c", present, image, container, fullName(image)))
        .text()
        .isEmpty()) {
      String transfer = "docker save \"$0\" | docker exec -i \"$1\" ctr -n k8s.io images import -";
      Outcome.of(List.of("sh", "-c", transfer, image, container)).text();
    }
  }

  /** An image's name as containerd has it. */
  private static String fullName(String image) {
    int slash = image.indexOf('/');
    String first = image.substring(0, Math.max(slash, 0));
    if (first.contains(".") || first.contains(":") || first.equals("localhost")) {
      return image;
    }
    return "docker.io/" + (slash < 0 ? "library/" : "") + image;
  }

  /** Runs kubectl. */
  public Outcome kubectl(String... arguments) {
    return kubectlWithInput("", arguments);
  }

  /** Runs kubectl with this text as its input, for {@code -f -}. */
  public Outcome kubectlWithInput(String stdin, String... arguments) {
    List<String> command = new ArrayList<>(kubectlCommand());
    command.addAll(List.of(arguments));
    return Outcome.of(command, stdin);
  }

  /** The words with which a kubectl command for this cluster begins. */
  public List<String> kubectlCommand() {
    return node.map(container -> List.of("docker", "exec", "-i", container, "kubectl"))
        .orElseGet(() -> List.of("kubectl", "--kubeconfig", kubeconfigFile.toString()));
  }

  /** Runs a program on the node. */
  public Outcome onNode(String... program) {
    List<String> command = new ArrayList<>(nodeCommand());
    command.addAll(List.of(program));
    return Outcome.of(command);
  }

  /** The words with which a command on the node begins; it is given its input. */
  public List<String> nodeCommand() {
    String container =
        node.orElseThrow(
            () ->
                new IllegalStateException(
                    "this test looks into the node: unset QEMU_OPERATOR_TEST_KUBECONFIG, or use the"
                        + " cluster of ./test cluster up"));
    return List.of("docker", "exec", "-i", container);
  }

  /** Another node, in a container of its own. */
  public ExtraNode join() {
    return ExtraNode.join(this, nodeCommand().getLast());
  }

  private static Path ownFile(String kubeconfig) {
    try {
      Path file = Files.createTempFile("kubeconfig", ".yaml");
      file.toFile().deleteOnExit();
      return Files.writeString(file, kubeconfig);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
