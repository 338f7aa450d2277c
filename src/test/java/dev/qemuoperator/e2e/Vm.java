package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.Statuses;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.PodResource;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** A virtual machine under test. */
record Vm(String namespace, String name) {

  /** Generous, because everything runs under emulation and machines of CI are slow. */
  static final Duration BOOT = Duration.ofMinutes(4);

  /** A change of what QEMU does must show within this. */
  static final Duration TOLD = Duration.ofSeconds(5);

  /** A guest that has reported is listened to twice a minute. */
  static final Duration REPORTED_AGAIN = Duration.ofSeconds(60);

  private static final Duration NOTHING_HAPPENS = Duration.ofSeconds(10);

  private static KubernetesClient client() {
    return Cluster.get().client();
  }

  /** Applies manifests as a user does; the first VirtualMachine among them is the one. */
  static Vm apply(String namespace, String name, String manifests) {
    apply(namespace, manifests);
    return new Vm(namespace, name);
  }

  static void apply(String namespace, String manifests) {
    Cluster.get().kubectlWithInput(manifests, "apply", "-n", namespace, "-f", "-").text();
  }

  /** A VM of the tiny guest on a claim; further lines of its spec may follow. */
  static Vm tiny(String namespace, String name, String... moreSpec) {
    return apply(namespace, name, tinyManifest(name, Installation.image("guest-tiny"), moreSpec));
  }

  static String tinyManifest(String name, String image, String... moreSpec) {
    return """
        apiVersion: qemu-operator.dev/v1alpha1
        kind: VirtualMachine
        metadata: {name: %s}
        spec:
          memory: {size: 192Mi}
          terminationGracePeriodSeconds: 60
          readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
          disks:
          - name: root
            size: 64Mi
            source: {containerImage: {image: "%s"}}
        """
            .formatted(name, image)
        + furtherSpec(moreSpec);
  }

  /** Lines of a spec, as its manifest has them. */
  static String furtherSpec(String... lines) {
    return String.join("", List.of(lines).stream().map(line -> "  " + line + "\n").toList());
  }

  Resource<VirtualMachine> resource() {
    return client().resources(VirtualMachine.class).inNamespace(namespace).withName(name);
  }

  PodResource pod() {
    return client().pods().inNamespace(namespace).withName(name);
  }

  String podUid() {
    return Optional.ofNullable(pod().get()).map(p -> p.getMetadata().getUid()).orElse("");
  }

  VirtualMachineStatus status() {
    return Optional.ofNullable(resource().get())
        .map(VirtualMachine::getStatus)
        .orElse(Statuses.EMPTY.of());
  }

  Optional<Condition> condition(String type) {
    return ConditionList.find(status().conditions(), type);
  }

  /** Waits until the status is so; the failure shows the status that it is instead. */
  VirtualMachineStatus await(
      String what, Duration patience, Predicate<VirtualMachineStatus> predicate) {
    try {
      return Awaitility.await(name + ": " + what)
          .atMost(patience)
          .pollInterval(Duration.ofMillis(200))
          .ignoreException(KubernetesClientException.class)
          .until(this::status, predicate);
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(
          "%s: not %s within %s%n%s%n--- console%n%s"
              .formatted(
                  name,
                  what,
                  patience,
                  Cluster.get().kubectl("get", "qvm", name, "-n", namespace, "-o", "yaml").stdout(),
                  console()),
          e);
    }
  }

  VirtualMachineStatus awaitCondition(
      String type, String status, String reason, Duration patience) {
    return await(
        type + "=" + status + " " + reason,
        patience,
        now ->
            ConditionList.find(now.conditions(), type)
                .filter(c -> c.getStatus().equals(status) && c.getReason().equals(reason))
                .isPresent());
  }

  VirtualMachineStatus awaitReady() {
    return awaitCondition("Ready", "True", "Running", BOOT);
  }

  VirtualMachineStatus awaitExit(String cause, Duration patience) {
    return await(
        "lastExit " + cause,
        patience,
        now -> now.lastExit() != null && cause.equals(now.lastExit().cause()));
  }

  /** Runs a shell script in the tiny guest, through the pod's address as any client would. */
  String run(String script) {
    return client()
        .raw(
            "/api/v1/namespaces/%s/pods/%s:80/proxy/cgi-bin/exec".formatted(namespace, name),
            "POST",
            script);
  }

  /**
   * Writes a text to a file of the tiny guest, down to the disk. {@code sync} alone does not make
   * FAT flush the disk's own cache, which is QEMU's memory and dies with it.
   */
  void write(String path, String text) {
    run("printf %%s '%s' | dd of=%s conv=fsync".formatted(text, path));
  }

  /** Runs a script that ends the guest, which may then not answer. */
  void runLast(String script) {
    try {
      run(script);
    } catch (KubernetesClientException e) {
      // the guest went before its answer: that is what was asked for
    }
  }

  /** How often the tiny guest has booted from its disk. */
  int boots() {
    return Integer.parseInt(run("cat /disk/boots").strip());
  }

  /** Seconds since the guest's kernel started. */
  double uptime() {
    return Double.parseDouble(run("cut -d' ' -f1 /proc/uptime").strip());
  }

  /** Runs a program in QEMU's container. */
  String inPod(String... program) {
    String[] kubectl = new String[program.length + 7];
    System.arraycopy(
        new String[] {"exec", "-n", namespace, name, "-c", "qemu", "--"}, 0, kubectl, 0, 7);
    System.arraycopy(program, 0, kubectl, 7, program.length);
    return Cluster.get().kubectl(kubectl).text();
  }

  String console() {
    return Cluster.get().kubectl("logs", "-n", namespace, name, "-c", "qemu", "--tail=40").stdout();
  }

  String previousConsole() {
    return Cluster.get()
        .kubectl("logs", "-n", namespace, name, "-c", "qemu", "--previous")
        .stdout();
  }

  /** Sends one command to QEMU by the socket of PID 1, as an operator's rival would. */
  void qmp(String command) {
    inPod("sh", "-c", qmpClient(command));
  }

  /** A shell's command that does the same. */
  static String qmpClient(String command) {
    return "printf '{\"execute\":\"qmp_capabilities\"}\\n{\"execute\":\"%s\"}\\n' "
            .formatted(command)
        + "| timeout 1 nc.openbsd -U /run/vm/qmp.sock || true";
  }

  void patch(String mergePatch) {
    Cluster.get()
        .kubectl("patch", "qvm", name, "-n", namespace, "--type=merge", "-p", mergePatch)
        .text();
  }

  void setRunStrategy(String strategy) {
    patch("{\"spec\":{\"runStrategy\":\"" + strategy + "\"}}");
  }

  /** Sets an annotation, or with null removes it. */
  void annotate(String name, String value) {
    Cluster.get()
        .kubectl(
            "annotate",
            "--overwrite",
            "qvm",
            this.name,
            "-n",
            namespace,
            value == null ? name + "-" : name + "=" + value)
        .text();
  }

  void awaitNoPod(Duration patience) {
    pod().waitUntilCondition(pod -> pod == null, patience.toSeconds(), TimeUnit.SECONDS);
  }

  /** Reasons of the events about this VM, oldest first. */
  List<String> eventReasons() {
    return client().events().v1().events().inNamespace(namespace).list().getItems().stream()
        .filter(event -> name.equals(event.getRegarding().getName()))
        .filter(event -> "VirtualMachine".equals(event.getRegarding().getKind()))
        .sorted(java.util.Comparator.comparing(event -> event.getEventTime().getTime()))
        .map(event -> event.getReason())
        .toList();
  }

  /** Nothing to wait for: the test is that nothing comes. */
  static void stays(String what, Callable<Boolean> so) {
    Awaitility.await(what).during(NOTHING_HAPPENS).atMost(Duration.ofMinutes(1)).until(so);
  }

  void delete() {
    resource().delete();
    awaitNoPod(Duration.ofMinutes(2));
  }

  Pod livePod() {
    Pod pod = pod().get();
    assertThat(pod).as("pod of %s", name).isNotNull();
    return pod;
  }
}
