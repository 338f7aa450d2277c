import dev.qemuoperator.pki.CertificateAuthority;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.SelfSignedCertificate;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Runs the command that it is given, which starts the operator, until the operator has reconciled
 * the VirtualMachine of objects.json and its probes and metrics answer; then ends it as the kubelet
 * does. So its JVM has loaded what an ordinary start needs. The API server is a stand-in, but with
 * TLS and WebSockets like the real one, because they are a good part of a start. It is made with
 * the operator's own libraries.
 */
class Training {

  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final List<String> PAGES =
      List.of("health/started", "health/live", "health/ready", "metrics");

  /** What the API server has and what it answers to reviews, by path. */
  private final JsonObject objects;

  private volatile boolean reconciled;

  private Training(JsonObject objects) {
    this.objects = objects;
  }

  public static void main(String... command) {
    try {
      JsonObject objects = new JsonObject(Files.readString(Path.of("training", "objects.json")));
      new Training(objects).run(new ProcessBuilder(command).inheritIO());
      System.exit(0);
    } catch (Exception e) {
      e.printStackTrace();
      System.exit(1); // the server's threads would go on
    }
  }

  private void run(ProcessBuilder command) throws Exception {
    JsonObject data = new JsonObject();
    CertificateAuthority.generate(Clock.systemUTC())
        .toPem()
        .forEach((name, pem) -> data.put(name, pem.getBytes())); // base64, as in a Secret
    objects.put(
        "/api/v1/namespaces/operator/secrets/qemu-operator-ca", new JsonObject().put("data", data));

    SelfSignedCertificate certificate = SelfSignedCertificate.create();
    HttpServerOptions tls =
        new HttpServerOptions()
            .setSsl(true)
            .setUseAlpn(true)
            .setKeyCertOptions(certificate.keyCertOptions());
    HttpServer server = Vertx.vertx().createHttpServer(tls).requestHandler(this::handle);
    server.listen(0).toCompletionStage().toCompletableFuture().get();
    Map<String, String> environment = command.environment();
    environment.put("KUBERNETES_MASTER", "https://localhost:" + server.actualPort());
    environment.put("KUBERNETES_CERTS_CA_FILE", certificate.certificatePath());
    environment.put("KUBERNETES_AUTH_TOKEN", "training");
    environment.put("QEMU_OPERATOR_NAMESPACE", "operator");
    environment.put("QEMU_OPERATOR_RUNNER_IMAGE", "runner");

    Process operator = command.start();
    Instant deadline = Instant.now().plus(PATIENCE);
    while (!reconciled || !PAGES.stream().allMatch(Training::answers)) {
      if (!operator.isAlive() || Instant.now().isAfter(deadline)) {
        operator.destroyForcibly();
        throw new IllegalStateException("the operator has not reconciled or is not ready");
      }
      Thread.sleep(100);
    }
    operator.destroy();
    operator.waitFor();
  }

  private static boolean answers(String page) {
    try {
      URI uri = URI.create("http://localhost:8080/q/" + page);
      return ((HttpURLConnection) uri.toURL().openConnection()).getResponseCode() == 200;
    } catch (IOException e) {
      return false; // not yet
    }
  }

  private void handle(HttpServerRequest request) {
    if (request.headers().contains("Upgrade")) {
      request.toWebSocket(); // a watch; nothing happens
    } else {
      request.body().onSuccess(body -> answer(request, body));
    }
  }

  private void answer(HttpServerRequest request, Buffer body) {
    String path = request.path().replaceAll("/status$", "");
    JsonObject answer =
        switch (request.method().name()) {
          case "GET" ->
              path.matches("(/api|/apis/[^/]+)/v[^/]+(/namespaces/[^/]+)?/[^/]+")
                  ? list(path.replaceAll(".*/", "/"), request.getParam("labelSelector", ""))
                  : objects.getJsonObject(path);
          case "POST" -> objects.getJsonObject(path, body.toJsonObject());
          default -> write(path, body.toJsonObject());
        };
    request.response().putHeader("Content-Type", "application/json");
    if (answer == null) {
      request.response().setStatusCode(404).end("{\"kind\": \"Status\", \"code\": 404}");
    } else {
      request.response().end(answer.toBuffer());
    }
    reconciled |= request.path().endsWith("/status");
  }

  private JsonObject write(String path, JsonObject applied) {
    JsonObject metadata = new JsonObject().put("uid", path).put("resourceVersion", "2");
    JsonObject written = new JsonObject().put("metadata", metadata);
    written.mergeIn(objects.getJsonObject(path, new JsonObject()), true).mergeIn(applied, true);
    objects.put(path, written);
    return written;
  }

  /** Those of a kind, in all namespaces, that mention the label. */
  private JsonObject list(String kind, String label) {
    JsonArray items = new JsonArray();
    for (String path : objects.fieldNames()) {
      JsonObject object = objects.getJsonObject(path);
      if (path.contains(kind + "/") && object.encode().contains(label)) {
        items.add(object);
      }
    }
    JsonObject metadata = new JsonObject().put("resourceVersion", "2");
    return new JsonObject().put("metadata", metadata).put("items", items);
  }
}
