package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.pod.VmObjects;
import dev.qemuoperator.qmp.PemTls;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.LocalPortForward;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a guest cannot reach, and who cannot reach its QEMU. */
class IsolationE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static Vm vm;

  @BeforeAll
  static void boot() {
    Installation.get();
    vm = Vm.tiny(NAMESPACE.name(), "isolated");
    vm.awaitReady();
  }

  @ParameterizedTest
  @ValueSource(ints = {7000, 7001, 7002, 7003, 7004})
  void guestCannotReachQemusPorts(int port) {
    assertThat(connects("10.0.2.1", port)).as("its gateway").isFalse();
    assertThat(connects(podAddress(), port)).as("its pod's address").isFalse();
  }

  @Test
  void guestCannotReachTheKubeletThroughItsGateway() {
    String node = vm.livePod().getStatus().getHostIP();
    String nodeOnPodNetwork =
        vm.inPod("sh", "-c", "ip -4 route show default").replaceAll(".*via (\\S+).*", "$1").strip();
    assertThat(connects("10.0.2.1", 10250)).as("its gateway").isFalse();
    assertThat(connects(nodeOnPodNetwork, 10250)).as("the pod's gateway").isFalse();
    assertThat(connects(node, 10250)).as("the node").isFalse();
  }

  /** Else the tests above would hold for a guest without a network. */
  @Test
  void guestReachesOtherPods() {
    ImageServer server = ImageServer.start(NAMESPACE.name());
    server.publish("there");
    String address =
        Cluster.get()
            .client()
            .pods()
            .inNamespace(NAMESPACE.name())
            .withName("image-server")
            .get()
            .getStatus()
            .getPodIP();
    assertThat(connects(address, 8080)).isTrue();
    assertThat(vm.run("get http://" + server.url().substring(7) + "/there | wc -c").strip())
        .as("by the name of a Service")
        .isNotEqualTo("0");
  }

  /** Else the tests below would hold for a monitor that answers nobody. */
  @Test
  void operatorsCertificateIsGreeted() throws IOException {
    assertThat(greeting(authority().operatorContext(Clock.systemUTC()))).contains("QMP");
  }

  @Test
  void clientWithoutACertificateGetsNothing() throws IOException {
    assertThat(greeting(PemTls.context(vmFiles().get("ca-cert.pem")))).isEmpty();
  }

  @Test
  void clientWithAForeignCertificateGetsNothing() throws IOException {
    Map<String, String> foreign =
        CertificateAuthority.generate(Clock.systemUTC())
            .issueServer("foreign.default.vm", Clock.systemUTC())
            .files();
    assertThat(
            greeting(
                PemTls.context(
                    vmFiles().get("ca-cert.pem"),
                    foreign.get("server-cert.pem"),
                    foreign.get("server-key.pem"))))
        .isEmpty();
  }

  @Test
  void clientWithAVmsOwnCertificateGetsNothing() throws IOException {
    Map<String, String> own = vmFiles();
    assertThat(
            greeting(
                PemTls.context(
                    own.get("ca-cert.pem"), own.get("server-cert.pem"), own.get("server-key.pem"))))
        .isEmpty();
  }

  private static boolean connects(String address, int port) {
    return vm.run(
            "nc -w 2 %s %d </dev/null >/dev/null 2>&1 && echo yes || echo no"
                .formatted(address, port))
        .strip()
        .equals("yes");
  }

  private static String podAddress() {
    return vm.livePod().getStatus().getPodIP();
  }

  /** What the spare monitor says first; the operator is on the primary one. */
  private static String greeting(SSLContext context) throws IOException {
    try (LocalPortForward forward = vm.pod().portForward(7001);
        Socket tcp = new Socket(InetAddress.getLoopbackAddress(), forward.getLocalPort());
        SSLSocket tls =
            (SSLSocket)
                context
                    .getSocketFactory()
                    .createSocket(tcp, "isolated", forward.getLocalPort(), false)) {
      tls.setSoTimeout((int) Duration.ofSeconds(10).toMillis());
      byte[] answer = new byte[256];
      int length = tls.getInputStream().read(answer);
      return length < 0 ? "" : new String(answer, 0, length, StandardCharsets.UTF_8);
    } catch (javax.net.ssl.SSLException | java.net.SocketException e) {
      return ""; // refused with an alert, or hung up
    }
  }

  private static Map<String, String> vmFiles() {
    return VmObjects.files(secret(vm.namespace(), "isolated-qmp-tls"));
  }

  private static CertificateAuthority authority() {
    return CertificateAuthority.parse(
        VmObjects.files(secret(Installation.NAMESPACE, "qemu-operator-ca")));
  }

  private static Secret secret(String namespace, String name) {
    return Cluster.get().client().secrets().inNamespace(namespace).withName(name).require();
  }
}
