package dev.qemuoperator.qmp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertPathValidatorException;
import java.security.cert.PKIXReason;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * One client of one QEMU monitor (QEMU Machine Protocol Specification), over TLS 1.3 with
 * certificates on both sides. Commands may come from any thread, and they block it.
 */
public final class QmpConnection implements AutoCloseable {

  /** Called on the connection's reading thread: must neither block nor execute commands. */
  public interface Listener {
    /** In the order in which QEMU sent them. */
    void event(Event event);

    /** Once, after the last event; also after {@link QmpConnection#close}. */
    void lost(IOException why);
  }

  /** Scrollback of a ring buffer is the longest; a QEMU gone wrong must not fill the heap. */
  private static final int LONGEST_LINE = 1 << 20;

  private static final String ANOTHER_CA =
      "its pod was made with another CA than this operator's, which is in the Secret qemu-operator-ca:"
          + " put the earlier one back, or shut the guest down and start it again by kubectl delete pod";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Socket dialed;
  private final InputStream in;
  private final OutputStream out;
  private final Duration answerTimeout;
  private final ReentrantLock writing = new ReentrantLock();
  private final AtomicLong ids = new AtomicLong();
  private final Map<Long, CompletableFuture<JsonNode>> unanswered = new ConcurrentHashMap<>();
  private volatile IOException lost;

  private QmpConnection(Socket dialed, SSLSocket tls, Duration answerTimeout) throws IOException {
    this.dialed = dialed;
    this.in = new BufferedInputStream(tls.getInputStream());
    this.out = tls.getOutputStream();
    this.answerTimeout = answerTimeout;
  }

  /**
   * Makes a monitor connection of a TCP connection, ready for commands. The socket is this
   * connection's from now on, also if it fails.
   *
   * @throws SocketTimeoutException if nobody answers: another client holds this monitor, or QEMU
   *     hangs
   * @throws NoGreetingException if QEMU does not want this client
   * @throws ConnectException if the other end closed before TLS was up: nobody listens there yet
   * @throws SSLException if the other end is not the QEMU of that name
   */
  public static QmpConnection open(
      Socket dialed, SSLContext tls, String serverName, Timing timing, Listener listener)
      throws IOException {
    try {
      SSLSocket secured = handshake(dialed, tls, serverName, timing);
      QmpConnection connection = new QmpConnection(dialed, secured, timing.answer());
      connection.negotiate(timing.handshake());
      secured.setSoTimeout(0);
      Thread.ofVirtual().name("qmp-read " + serverName).start(() -> connection.read(listener));
      return connection;
    } catch (IOException | RuntimeException e) {
      dialed.close();
      throw e;
    }
  }

  public JsonNode execute(String command) throws IOException {
    return execute(command, Map.of());
  }

  /**
   * Runs a command and waits for its answer, the value of {@code return}.
   *
   * @throws QmpErrorException if QEMU refuses it
   * @throws SocketTimeoutException if there is no answer in time
   * @throws IOException if the connection is or gets lost
   */
  public JsonNode execute(String command, Map<String, ?> arguments) throws IOException {
    long id = ids.incrementAndGet();
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    unanswered.put(id, answer);
    try {
      // after the put: whoever sets it fails all that is in the map
      if (lost != null) {
        throw new IOException(lost.getMessage(), lost);
      }
      byte[] line = line(command, arguments, id);
      try {
        send(line);
      } catch (IOException e) {
        // the reader meets the same loss, knows its reason better, and fails the answer with it
      }
      JsonNode message = answer.get(answerTimeout.toMillis(), TimeUnit.MILLISECONDS);
      JsonNode error = message.get("error");
      if (error != null) {
        throw new QmpErrorException(
            command, error.path("class").asText(), error.path("desc").asText());
      }
      return message.path("return");
    } catch (TimeoutException e) {
      throw new SocketTimeoutException(
          "QEMU did not answer " + command + " within " + seconds(answerTimeout));
    } catch (ExecutionException e) {
      throw new IOException(e.getCause().getMessage(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for an answer");
    } finally {
      unanswered.remove(id);
    }
  }

  /**
   * Ends the connection as if by the network. TLS has a farewell, but to write it can block on a
   * peer that is gone, and QEMU does not miss it.
   */
  @Override
  public void close() {
    try {
      dialed.close();
    } catch (IOException e) {
      // closed all the same
    }
  }

  private static SSLSocket handshake(
      Socket dialed, SSLContext tls, String serverName, Timing timing) throws IOException {
    SSLSocket secured =
        (SSLSocket) tls.getSocketFactory().createSocket(dialed, serverName, dialed.getPort(), true);
    SSLParameters parameters = secured.getSSLParameters();
    parameters.setProtocols(new String[] {"TLSv1.3"});
    parameters.setServerNames(List.of(new SNIHostName(serverName)));
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    secured.setSSLParameters(parameters);
    secured.setSoTimeout(Math.toIntExact(timing.handshake().toMillis()));
    try {
      secured.startHandshake();
      return secured;
    } catch (IOException e) {
      if (causedBy(e, SocketTimeoutException.class)) {
        throw silent(timing.handshake(), e);
      }
      if (causedBy(e, EOFException.class) || causedBy(e, SocketException.class)) {
        throw (IOException)
            new ConnectException("closed by the other end before TLS was up").initCause(e);
      }
      if (isOfAnotherCa(e)) {
        throw new SSLException(ANOTHER_CA, e);
      }
      throw e;
    }
  }

  /** Events come only after it, so what is read here is the greeting and one answer. */
  private void negotiate(Duration timeout) throws IOException {
    try {
      if (!greeting().path("QMP").isObject()) {
        throw new ProtocolException("the other end does not speak QMP");
      }
      send(line("qmp_capabilities", Map.of(), ids.incrementAndGet()));
      if (!JSON.readTree(received()).has("return")) {
        throw new ProtocolException("QEMU refused qmp_capabilities");
      }
    } catch (SocketTimeoutException e) {
      throw silent(timeout, e);
    }
  }

  /** With TLS 1.3 a refused client learns it here: its own part of the handshake was done. */
  private JsonNode greeting() throws IOException {
    try {
      return JSON.readTree(received());
    } catch (SocketTimeoutException | JsonProcessingException e) {
      throw e;
    } catch (IOException e) {
      throw new NoGreetingException(e);
    }
  }

  private static SocketTimeoutException silent(Duration timeout, IOException cause) {
    SocketTimeoutException exception =
        new SocketTimeoutException(
            "no answer within "
                + seconds(timeout)
                + ": another client holds the monitor, or QEMU hangs");
    exception.initCause(cause);
    return exception;
  }

  private static byte[] line(String command, Map<String, ?> arguments, long id)
      throws JsonProcessingException {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("execute", command);
    if (!arguments.isEmpty()) {
      message.put("arguments", arguments);
    }
    message.put("id", id);
    return (JSON.writeValueAsString(message) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private void send(byte[] line) throws IOException {
    writing.lock();
    try {
      out.write(line);
      out.flush();
    } finally {
      writing.unlock();
    }
  }

  private void read(Listener listener) {
    IOException why = new IOException("the reader of the connection failed");
    try {
      while (true) {
        JsonNode message = JSON.readTree(received());
        Optional<Event> event = Event.of(message);
        if (event.isPresent()) {
          listener.event(event.get());
        } else {
          answered(message);
        }
      }
    } catch (EOFException e) {
      why = new IOException("QEMU closed the connection", e);
    } catch (IOException e) {
      why = new IOException("the connection to QEMU broke: " + e.getMessage(), e);
    } finally {
      lost = why;
      close();
      IOException reason = why;
      unanswered.values().forEach(answer -> answer.completeExceptionally(reason));
      listener.lost(why);
    }
  }

  /** An answer that nobody waits for any more came after its time-out. */
  private void answered(JsonNode message) {
    CompletableFuture<JsonNode> waiting = unanswered.get(message.path("id").asLong(-1));
    if (waiting != null) {
      waiting.complete(message);
    }
  }

  private byte[] received() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(256);
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("end of file");
      }
      if (line.size() == LONGEST_LINE) {
        throw new IOException("a line of more than " + LONGEST_LINE + " bytes");
      }
      line.write(next);
    }
    return line.toByteArray();
  }

  private static boolean causedBy(Throwable thrown, Class<? extends Throwable> type) {
    return causes(thrown).anyMatch(type::isInstance);
  }

  private static boolean isOfAnotherCa(Throwable thrown) {
    return causes(thrown)
        .anyMatch(
            cause ->
                cause instanceof CertPathValidatorException invalid
                    && invalid.getReason() == PKIXReason.NO_TRUST_ANCHOR);
  }

  private static Stream<Throwable> causes(Throwable thrown) {
    return Stream.iterate(thrown, Objects::nonNull, Throwable::getCause);
  }

  private static String seconds(Duration duration) {
    return duration.toMillis() / 1000.0 + " s";
  }
}
