package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import io.fabric8.kubernetes.api.model.LoadBalancerIngressBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.dsl.ServiceResource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a guest serves: when it counts as ready, and where it is reached. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ServicesE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final Duration AGAIN = Duration.ofSeconds(20);

  private static Vm vm;
  private static String pod;

  @BeforeAll
  static void boot() {
    Installation.get();
    vm =
        Vm.apply(
            NAMESPACE.name(),
            "web",
            """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachine
            metadata: {name: web}
            spec:
              memory: {size: 192Mi}
              terminationGracePeriodSeconds: 30
              ports: [{name: http, port: 80}]
              service: {type: NodePort}
              readinessProbe: {httpGet: {port: 80, path: /ready.txt}, periodSeconds: 1}
              disks:
              - name: root
                storage: {ephemeral: {}}
                source: {containerImage: {image: "%s"}}
            """
                .formatted(Installation.image("guest-tiny")));
    vm.awaitCondition("Running", "True", "Running", Vm.BOOT);
    pod = vm.podUid();
  }

  @Test
  @Order(1)
  void readyFollowsWhatTheGuestsWebServerSays() {
    vm.awaitCondition("GuestReachable", "False", "ProbeFailed", Vm.BOOT);
    assertThat(vm.condition("GuestReachable").orElseThrow().getMessage())
        .startsWith("HTTP port 80, /ready.txt: ");
    Awaitility.await("its shell").atMost(Vm.BOOT).until(() -> run("echo yes > /www/ready.txt"));
    vm.awaitReady();
    vm.run("rm /www/ready.txt");
    vm.awaitCondition("Ready", "False", "ProbeFailed", AGAIN);
    vm.run("echo yes > /www/ready.txt");
    vm.awaitReady();
  }

  private static boolean run(String script) {
    try {
      vm.run(script);
      return true;
    } catch (AssertionError | RuntimeException e) {
      return false;
    }
  }

  @Test
  @Order(2)
  void portOfTheNodeLeadsToTheGuest() throws Exception {
    int port = service().getSpec().getPorts().getFirst().getNodePort();
    assertThat(get("http://%s:%d/ready.txt".formatted(nodeAddress(), port))).isEqualTo("yes\n");
  }

  @Test
  @Order(3)
  void guestSeesTheClientsOwnAddressWithTheLocalPolicy() throws Exception {
    assertThat(senderThatTheGuestSees()).matches("[0-9.]+").isNotEqualTo(ownAddress());
    vm.patch("{\"spec\":{\"service\":{\"externalTrafficPolicy\":\"Local\"}}}");
    awaitService(
        "with the policy", now -> now.getSpec().getExternalTrafficPolicy().equals("Local"));
    Awaitility.await("the client's own address")
        .atMost(AGAIN)
        .until(ServicesE2E::senderThatTheGuestSees, ownAddress()::equals);
    vm.patch("{\"spec\":{\"service\":{\"externalTrafficPolicy\":null}}}");
    awaitService(
        "with the default", now -> now.getSpec().getExternalTrafficPolicy().equals("Cluster"));
  }

  private static String senderThatTheGuestSees() throws IOException, InterruptedException {
    int port = service().getSpec().getPorts().getFirst().getNodePort();
    URI exec = URI.create("http://%s:%d/cgi-bin/exec".formatted(nodeAddress(), port));
    return send(HttpRequest.newBuilder(exec).POST(BodyPublishers.ofString("echo \"$REMOTE_ADDR\"")))
        .strip()
        // of IPv4 in IPv6, as httpd writes it: [::ffff:192.0.2.1]
        .replaceAll("^\\[::ffff:(.*)]$", "$1");
  }

  /** By which this machine reaches the node. */
  private static String ownAddress() {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(nodeAddress(), 80));
      return socket.getLocalAddress().getHostAddress();
    } catch (SocketException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String nodeAddress() {
    return Cluster.get()
        .client()
        .nodes()
        .withName(vm.status().nodeName())
        .get()
        .getStatus()
        .getAddresses()
        .stream()
        .filter(address -> address.getType().equals("InternalIP"))
        .findFirst()
        .orElseThrow()
        .getAddress();
  }

  private static String get(String url) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(URI.create(url)));
  }

  private static String send(HttpRequest.Builder request) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.timeout(AGAIN).build(), BodyHandlers.ofString()).body();
    }
  }

  @Test
  @Order(4)
  void typeChangesWhileTheGuestRunsAndTheLoadBalancersWordStays() {
    vm.patch("{\"spec\":{\"service\":{\"type\":\"LoadBalancer\",\"annotations\":{\"a\":\"b\"}}}}");
    awaitService("of the type", now -> now.getSpec().getType().equals("LoadBalancer"));
    // as the controller of a load balancer does it
    resource()
        .editStatus(
            now ->
                now.edit()
                    .editOrNewStatus()
                    .editOrNewLoadBalancer()
                    .withIngress(new LoadBalancerIngressBuilder().withIp("192.0.2.60").build())
                    .endLoadBalancer()
                    .endStatus()
                    .build());
    resource()
        .edit(now -> now.edit().editMetadata().addToAnnotations("lb", "took it").and().build());
    vm.annotate("look", "again");
    Vm.stays(
        "what the load balancer has written",
        () ->
            service().getStatus().getLoadBalancer().getIngress().size() == 1
                && service().getMetadata().getAnnotations().get("lb").equals("took it"));
    assertThat(service().getMetadata().getAnnotations()).containsEntry("a", "b");

    vm.patch("{\"spec\":{\"service\":null}}");
    awaitService("of the type", now -> now.getSpec().getType().equals("ClusterIP"));
    assertThat(service().getSpec().getPorts().getFirst().getNodePort()).isNull();
    assertThat(service().getMetadata().getAnnotations()).doesNotContainKey("a");
    assertThat(vm.status().pendingChanges()).isEmpty();
    assertThat(vm.podUid()).isEqualTo(pod);
  }

  @Test
  @Order(5)
  void portOfTheNodeThatIsAnothersIsToldAndGotOnceItIsFree() {
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: v1
        kind: Service
        metadata: {name: first}
        spec: {type: NodePort, ports: [{port: 80, nodePort: 30999}]}
        """);
    vm.patch(
        """
        {"spec":{"service":{"type":"NodePort"},"ports":[{"name":"http","port":80,"nodePort":30999}]}}""");
    vm.awaitCondition("Accepted", "False", "RefusedByApiServer", Vm.TOLD);
    assertThat(vm.condition("Accepted").orElseThrow().getMessage())
        .contains("Service \"web\"", "30999", "already allocated");
    assertThat(vm.podUid()).isEqualTo(pod);

    // the guest stops and starts all the same
    vm.setRunStrategy("Halted");
    vm.awaitNoPod(Vm.BOOT);
    vm.setRunStrategy("Always");
    vm.awaitCondition("Running", "True", "Running", Vm.BOOT);
    String next = vm.podUid();

    Cluster.get().kubectl("delete", "service", "first", "-n", NAMESPACE.name()).text();
    vm.awaitCondition("Accepted", "True", "Valid", AGAIN);
    assertThat(service().getSpec().getPorts().getFirst().getNodePort()).isEqualTo(30999);
    assertThat(vm.podUid()).isEqualTo(next);
  }

  @Test
  @Order(6)
  void quotaKeepsPortsOfTheNodeFromWhoMayWriteVms() {
    vm.patch("{\"spec\":{\"service\":null,\"ports\":[{\"name\":\"http\",\"port\":80}]}}");
    awaitService("of the type", now -> now.getSpec().getType().equals("ClusterIP"));
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: no-ports}
        spec: {hard: {services.nodeports: "0", services.loadbalancers: "0"}}
        """);
    Awaitility.await("the quota is in force")
        .atMost(AGAIN)
        .until(
            () ->
                Cluster.get()
                    .client()
                    .resourceQuotas()
                    .inNamespace(NAMESPACE.name())
                    .withName("no-ports")
                    .require()
                    .getStatus(),
            status -> status != null && status.getUsed() != null && status.getUsed().size() == 2);
    vm.patch("{\"spec\":{\"service\":{\"type\":\"NodePort\"}}}");
    vm.awaitCondition("Accepted", "False", "RefusedByApiServer", Vm.TOLD);
    assertThat(vm.condition("Accepted").orElseThrow().getMessage()).contains("exceeded quota");
    assertThat(service().getSpec().getType()).isEqualTo("ClusterIP");

    Cluster.get().kubectl("delete", "resourcequota", "no-ports", "-n", NAMESPACE.name()).text();
    vm.awaitCondition("Accepted", "True", "Valid", AGAIN);
    awaitService("of the type", now -> now.getSpec().getType().equals("NodePort"));
  }

  private static void awaitService(String what, Predicate<Service> is) {
    Awaitility.await("Service " + what).atMost(Vm.TOLD).until(ServicesE2E::service, is);
  }

  private static ServiceResource<Service> resource() {
    return Cluster.get().client().services().inNamespace(NAMESPACE.name()).withName("web");
  }

  private static Service service() {
    return resource().require();
  }
}
