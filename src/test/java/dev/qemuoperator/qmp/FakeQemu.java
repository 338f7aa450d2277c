package dev.qemuoperator.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.qemuoperator.pki.CertificateAuthority;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * QEMU as its monitor clients see it: two ports, mutual TLS 1.3, one client per port (the next one
 * gets its TCP connection and hangs in the handshake), and an authz-simple object that closes the
 * connection of any other subject than the operator's without a word.
 */
final class FakeQemu implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CLOSED =
      "\"error\": {\"class\": \"GenericError\", \"desc\": \"Block device disk-root is ejected\"}";

  private static final String GREETING =
      """
      {"QMP": {"version": {"qemu": {"micro": 13, "minor": 0, "major": 10}, "package": "Debian"}, \
      "capabilities": ["oob"]}}\
      """;

  private final SSLContext tls;
  private final Map<Integer, ServerSocket> servers = Map.of(7000, listening(), 7001, listening());
  private final Map<Integer, SSLSocket> clients = new ConcurrentHashMap<>();
  private final List<String> commands = new CopyOnWriteArrayList<>();
  private volatile String status = "running";
  private volatile String seedSerial = "seed-1";
  private volatile String seen;
  private volatile boolean kvm = true;
  private volatile boolean silent;

  /** Digest of the base image of the disk root. */
  static final String BASE = "0a".repeat(32);

  private volatile String backing = "";
  private volatile String header = "";
  private volatile String blockJobs = "[]";
  private volatile long size = 8L << 30;
  private volatile boolean refusing;
  private volatile boolean corrupt;
  private volatile String flushProblem = "";

  /** Digest of the medium with which the CD-ROM drive iso was started. */
  static final String MEDIUM = "0c".repeat(32);

  private final Map<String, String> nodes =
      new ConcurrentHashMap<>(Map.of("cdrom-iso", "/cache/sha256/" + MEDIUM));
  private volatile String medium = "";
  private volatile boolean trayOpen;
  private volatile boolean locked;
  private final StringBuffer ring = new StringBuffer();

  FakeQemu(Map<String, String> serverFiles) {
    tls =
        PemTls.context(
            serverFiles.get("ca-cert.pem"),
            serverFiles.get("server-cert.pem"),
            serverFiles.get("server-key.pem"));
    servers.forEach((port, server) -> Thread.ofVirtual().start(() -> serve(port, server)));
  }

  /** A TCP connection to the port that is {@code port} in a pod. */
  Socket dial(int port) throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), servers.get(port).getLocalPort());
  }

  FakeQemu status(String status) {
    this.status = status;
    return this;
  }

  /** As a pod on a LAN leaves it with QEMU. */
  FakeQemu seen(String addresses) {
    this.seen = addresses;
    return this;
  }

  FakeQemu withoutSeed() {
    this.seedSerial = null;
    return this;
  }

  FakeQemu withoutKvm() {
    this.kvm = false;
    return this;
  }

  /** Whether the disk root still needs its base image. */
  FakeQemu backed(boolean backed) {
    this.backing = backed ? ", \"backing_file\": \"/cache/sha256/" + BASE + "\"" : "";
    this.header = "";
    return this;
  }

  /** The base image was copied, but the file's header could not be written. */
  FakeQemu backedByItsHeader() {
    this.backing = "";
    this.header = ", \"backing-filename\": \"/cache/sha256/" + BASE + "\"";
    return this;
  }

  /** The disk's tables are damaged, so QEMU has closed it. */
  FakeQemu corrupt() throws IOException {
    this.corrupt = true;
    return emit("BLOCK_IMAGE_CORRUPTED", "{\"node-name\": \"disk-root\", \"fatal\": true}");
  }

  /** Whether disks cannot be resized. */
  FakeQemu refusing(boolean refusing) {
    this.refusing = refusing;
    return this;
  }

  /** What QEMU says when it is told to flush a disk; nothing if it could. */
  FakeQemu flushProblem(String text) {
    this.flushProblem = text;
    return this;
  }

  /** The machine has a CD-ROM drive named iso, with a medium. */
  FakeQemu withMedium() {
    this.medium = "cdrom-iso";
    return this;
  }

  /** Whether the guest has locked the drive. */
  FakeQemu locked(boolean locked) {
    this.locked = locked;
    return this;
  }

  /** Block nodes of media, also of those that are in no drive. */
  Set<String> media() {
    return nodes.keySet();
  }

  boolean isTrayOpen() {
    return trayOpen;
  }

  /** As query-block-jobs answers. */
  FakeQemu blockJobs(String json) {
    this.blockJobs = json;
    return this;
  }

  /** From now on no command is answered, as if the network swallowed all. */
  void silence() {
    silent = true;
  }

  void speak() {
    silent = false;
  }

  FakeQemu emit(String event, String data) throws IOException {
    String line =
        """
        {"timestamp": {"seconds": 1795341600, "microseconds": 250000}, "event": "%s", "data": %s}\
        """
            .formatted(event, data);
    say(line);
    return this;
  }

  /** The guest opens the port of its report, writes, and closes it. */
  FakeQemu guestWrites(String text) throws IOException {
    ring.append(text);
    return emit("VSERPORT_CHANGE", "{\"open\": true, \"id\": \"report\"}")
        .emit("VSERPORT_CHANGE", "{\"open\": false, \"id\": \"report\"}");
  }

  /** What the next reader of the guest's report would get. */
  String ring() {
    return ring.toString();
  }

  void clearRing() {
    ring.delete(0, ring.length());
  }

  void say(String line) throws IOException {
    for (SSLSocket client : clients.values()) {
      write(client, line);
    }
  }

  /** Closes the connections there are; the ports stay open. */
  void dropClients() throws IOException {
    for (SSLSocket client : clients.values()) {
      client.close();
    }
  }

  List<String> commands() {
    return commands;
  }

  /** The ports on which the operator is connected now. */
  List<Integer> connectedPorts() {
    return clients.keySet().stream().sorted().toList();
  }

  /** The process ends. */
  @Override
  public void close() throws IOException {
    for (ServerSocket server : servers.values()) {
      server.close();
    }
    dropClients();
  }

  private static ServerSocket listening() {
    try {
      return new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void serve(int port, ServerSocket server) {
    while (!server.isClosed()) {
      try (Socket accepted = server.accept()) {
        client(port, accepted);
      } catch (IOException e) {
        // that client is gone; the next one, please
      } finally {
        clients.remove(port);
      }
    }
  }

  private void client(int port, Socket accepted) throws IOException {
    SSLSocket client =
        (SSLSocket) tls.getSocketFactory().createSocket(accepted, "operator", 0, true);
    client.setUseClientMode(false);
    client.setNeedClientAuth(true);
    client.setEnabledProtocols(new String[] {"TLSv1.3"});
    client.startHandshake();
    String subject = client.getSession().getPeerPrincipal().getName();
    if (!subject.equals(CertificateAuthority.OPERATOR_DN)) {
      client.close();
      return;
    }
    write(client, GREETING);
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode message = JSON.readTree(line);
      String command = message.path("execute").asText();
      commands.add(command);
      if (command.equals("qmp_capabilities")) {
        clients.put(port, client);
      }
      if (!silent) {
        write(client, "{%s, \"id\": %s}".formatted(answer(command, message), message.get("id")));
      }
    }
  }

  private String blockNodes() {
    return ("\"return\": [{\"node-name\": \"#block1\"}%s, {\"node-name\": \"disk-root\"%s,"
            + " \"image\": {\"virtual-size\": %d%s}}]")
        .formatted(
            nodes.keySet().stream()
                .map(", {\"node-name\": \"%s\"}"::formatted)
                .collect(Collectors.joining()),
            backing,
            size,
            header);
  }

  private String answer(String command, JsonNode message) {
    return switch (command) {
      case "qmp_capabilities",
          "stop",
          "cont",
          "system_reset",
          "block-stream",
          "block-job-cancel",
          "job-finalize" ->
          "\"return\": {}";
      case "human-monitor-command" -> "\"return\": \"%s\"".formatted(flushProblem);
      case "query-status" ->
          "\"return\": {\"status\": \"%s\", \"running\": %s}"
              .formatted(status, status.equals("running"));
      case "query-kvm" -> "\"return\": {\"enabled\": %s, \"present\": true}".formatted(kvm);
      case "query-version" ->
          "\"return\": {\"qemu\": {\"micro\": 13, \"minor\": 0, \"major\": 10}, \"package\": \"\"}";
      case "query-block-jobs" -> "\"return\": " + blockJobs;
      case "query-named-block-nodes" -> corrupt ? CLOSED : blockNodes();
      case "query-block" ->
          ("\"return\": [{\"qdev\": \"/machine/peripheral/disk-root/virtio-backend\"},"
                  + " {\"qdev\": \"cdrom-iso\", \"locked\": %s, \"tray_open\": %s%s}]")
              .formatted(
                  locked,
                  trayOpen,
                  medium.isEmpty()
                      ? ""
                      : ", \"inserted\": {\"node-name\": \"%s\", \"file\": \"%s\"}"
                          .formatted(medium, nodes.get(medium)));
      case "blockdev-add",
          "blockdev-del",
          "blockdev-open-tray",
          "blockdev-remove-medium",
          "blockdev-insert-medium",
          "blockdev-close-tray" ->
          media(command, message.path("arguments"));
      case "block_resize" -> {
        if (refusing) {
          yield error("GenericError", "no");
        }
        size = message.path("arguments").path("size").asLong();
        yield "\"return\": {}";
      }
      case "ringbuf-read" -> {
        String text = ring.toString();
        ring.delete(0, text.length());
        yield "\"return\": \"%s\""
            .formatted(Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
      }
      case "ringbuf-write" -> {
        String data = message.path("arguments").path("data").asText();
        ring.append(new String(Base64.getDecoder().decode(data), StandardCharsets.UTF_8));
        yield "\"return\": {}";
      }
      case "qom-get" -> {
        String path = message.path("arguments").path("path").asText();
        String value = path.equals("/objects/seen-addresses") ? seen : seedSerial;
        yield value == null
            ? error("DeviceNotFound", "Device '%s' not found".formatted(path))
            : "\"return\": \"%s\"".formatted(value);
      }
      default -> error("CommandNotFound", "The command %s has not been found".formatted(command));
    };
  }

  /** As QEMU 10.0 does: a locked tray is no error, the guest is asked to eject it. */
  private String media(String command, JsonNode arguments) {
    String node = arguments.path("node-name").asText();
    switch (command) {
      case "blockdev-add" -> {
        if (refusing || nodes.containsKey(node)) {
          return error("GenericError", refusing ? "Could not open it" : "Duplicate nodes");
        }
        nodes.put(node, arguments.path("file").path("filename").asText());
      }
      case "blockdev-del" -> {
        if (node.equals(medium)) {
          return error("GenericError", "Node is in use");
        }
        nodes.remove(node);
      }
      case "blockdev-open-tray" -> {
        trayOpen |= !locked || arguments.path("force").asBoolean();
      }
      case "blockdev-close-tray" -> trayOpen = false;
      default -> {
        if (!trayOpen) {
          return error("GenericError", "Tray is not open");
        }
        medium = node;
      }
    }
    return "\"return\": {}";
  }

  private static String error(String errorClass, String description) {
    return "\"error\": {\"class\": \"%s\", \"desc\": \"%s\"}".formatted(errorClass, description);
  }

  private static void write(SSLSocket client, String line) throws IOException {
    synchronized (client) {
      client.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
    }
  }
}
