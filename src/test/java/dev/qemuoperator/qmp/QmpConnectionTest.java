package dev.qemuoperator.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.awaitility.Awaitility.await;

import dev.qemuoperator.pki.CertificateAuthority;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class QmpConnectionTest {
  private static final Clock CLOCK = Clock.systemUTC();
  private static final String WEB = "web.default.vm";

  /** Patient: a cold JVM on a busy machine needs seconds for its first handshake. */
  private static final Timing TIMING = timing(10, 10);

  private final CertificateAuthority ca = CertificateAuthority.generate(CLOCK);
  private final FakeQemu qemu = new FakeQemu(ca.issueServer(WEB, CLOCK).files());
  private final Heard heard = new Heard();

  private static final class Heard implements QmpConnection.Listener {
    private final List<String> events = new CopyOnWriteArrayList<>();
    private final List<String> losses = new CopyOnWriteArrayList<>();

    @Override
    public void event(Event event) {
      events.add(event.name());
    }

    @Override
    public void lost(IOException why) {
      losses.add(why.getMessage());
    }
  }

  @AfterEach
  void endQemu() throws IOException {
    qemu.close();
  }

  @Test
  void operatorIsGreetedAndGetsAnswers() throws IOException {
    try (QmpConnection connection = connect(ca.operatorContext(CLOCK))) {
      assertThat(connection.execute("query-status").path("status").asText()).isEqualTo("running");
      assertThat(qemu.commands()).containsExactly("qmp_capabilities", "query-status");
    }
  }

  @Test
  void refusedCommandSaysWhyAndHarmsNothing() throws IOException {
    try (QmpConnection connection = connect(ca.operatorContext(CLOCK))) {
      assertThatExceptionOfType(QmpErrorException.class)
          .isThrownBy(() -> connection.execute("eject", Map.of("id", "cd")))
          .withMessage("eject: The command eject has not been found")
          .returns("CommandNotFound", QmpErrorException::errorClass);
      assertThat(connection.execute("query-kvm").path("enabled").asBoolean()).isTrue();
    }
  }

  @Test
  void eventsArriveInOrder() throws IOException {
    try (QmpConnection connection = connect(ca.operatorContext(CLOCK))) {
      for (String event : List.of("STOP", "RESUME", "POWERDOWN", "SHUTDOWN")) {
        qemu.emit(event, "{}");
      }
      await().until(() -> heard.events.size() == 4);
      assertThat(heard.events).containsExactly("STOP", "RESUME", "POWERDOWN", "SHUTDOWN");
      assertThat(connection.execute("query-status").isObject()).isTrue();
    }
  }

  @Test
  void answerThatComesTooLateIsNobodysAnswer() throws IOException {
    try (QmpConnection connection = connect(ca.operatorContext(CLOCK), timing(10, 2))) {
      qemu.silence();
      assertThatExceptionOfType(SocketTimeoutException.class)
          .isThrownBy(() -> connection.execute("query-status"))
          .withMessage("QEMU did not answer query-status within 2.0 s");
      qemu.speak();
      qemu.say("{\"return\": {\"status\": \"stale\"}, \"id\": 2}");
      assertThat(connection.execute("query-status").path("status").asText()).isEqualTo("running");
    }
  }

  @Test
  void lostConnectionIsToldOnceAndFailsEveryCommand() throws IOException {
    try (QmpConnection connection = connect(ca.operatorContext(CLOCK))) {
      qemu.close();
      await().until(() -> !heard.losses.isEmpty());
      assertThatIOException().isThrownBy(() -> connection.execute("query-status"));
      assertThat(heard.losses).containsExactly("QEMU closed the connection");
    }
  }

  @Test
  void endlessLineEndsTheConnection() throws IOException {
    try (QmpConnection connection = connect(ca.operatorContext(CLOCK))) {
      qemu.say("x".repeat((1 << 20) + 1));
      await().until(() -> !heard.losses.isEmpty());
      assertThat(heard.losses).first().asString().contains("more than 1048576 bytes");
      assertThatIOException().isThrownBy(() -> connection.execute("query-status"));
    }
  }

  @Test
  void clientWithoutCertificateGetsNothing() {
    refused(PemTls.context(ca.toPem().get("ca.crt")));
  }

  @Test
  void clientWithTheCertificateOfAVmGetsNothing() {
    Map<String, String> vm = ca.issueServer("evil.default.vm", CLOCK).files();

    refused(
        PemTls.context(vm.get("ca-cert.pem"), vm.get("server-cert.pem"), vm.get("server-key.pem")));
  }

  @Test
  void operatorOfAForeignCaGetsNothingEvenIfItTrustsThisVm() {
    CertificateAuthority foreign = CertificateAuthority.generate(CLOCK);
    Map<String, String> vm = foreign.issueServer("evil.default.vm", CLOCK).files();

    refused(
        PemTls.context(
            ca.toPem().get("ca.crt"), vm.get("server-cert.pem"), vm.get("server-key.pem")));
  }

  @Test
  void operatorDoesNotTalkToAServerOfAForeignCa() {
    SSLContext foreign = CertificateAuthority.generate(CLOCK).operatorContext(CLOCK);

    assertThatExceptionOfType(SSLException.class).isThrownBy(() -> connect(foreign));
    assertThat(qemu.commands()).isEmpty();
  }

  @Test
  void operatorDoesNotTalkToAnotherVmAtTheSameAddress() {
    assertThatExceptionOfType(SSLException.class)
        .isThrownBy(
            () ->
                QmpConnection.open(
                    qemu.dial(7000), ca.operatorContext(CLOCK), "db.default.vm", TIMING, heard))
        .withMessageContaining("db.default.vm");
    assertThat(qemu.commands()).isEmpty();
  }

  @Test
  void secondClientOfAMonitorHangsAndGivesUp() throws IOException {
    SSLContext operator = ca.operatorContext(CLOCK);
    try (QmpConnection first = connect(operator)) {
      assertThatExceptionOfType(SocketTimeoutException.class)
          .isThrownBy(() -> connect(operator, timing(1, 10)))
          .withMessageContaining("another client holds the monitor, or QEMU hangs");
      assertThat(first.execute("query-status").isObject()).isTrue();
    }
  }

  @Test
  void portThatIsClosedAtOnceIsOneWhereNobodyListens() throws Exception {
    try (ServerSocket forward = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread closing =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      forward.accept().close();
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  });
      Socket dialed = new Socket(forward.getInetAddress(), forward.getLocalPort());
      assertThatExceptionOfType(ConnectException.class)
          .isThrownBy(
              () -> QmpConnection.open(dialed, ca.operatorContext(CLOCK), WEB, TIMING, heard));
      assertThat(dialed.isClosed()).isTrue();
      closing.join();
    }
  }

  /** The refusal may overtake the client's own part of the handshake, then it ends earlier. */
  private void refused(SSLContext context) {
    assertThatIOException()
        .isThrownBy(() -> connect(context))
        .isInstanceOfAny(NoGreetingException.class, ConnectException.class);
    assertThat(qemu.commands()).isEmpty();
  }

  private QmpConnection connect(SSLContext context) throws IOException {
    return connect(context, TIMING);
  }

  private QmpConnection connect(SSLContext context, Timing timing) throws IOException {
    return QmpConnection.open(qemu.dial(7000), context, WEB, timing, heard);
  }

  private static Timing timing(int handshakeSeconds, int answerSeconds) {
    return new Timing(
        Duration.ofSeconds(handshakeSeconds),
        Duration.ofSeconds(answerSeconds),
        Duration.ofSeconds(10),
        Duration.ofMillis(10),
        Duration.ofMillis(10),
        Duration.ZERO,
        Duration.ZERO,
        Duration.ofSeconds(10),
        Duration.ZERO,
        Duration.ZERO,
        Duration.ZERO);
  }
}
