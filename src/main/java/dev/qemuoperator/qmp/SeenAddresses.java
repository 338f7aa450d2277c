package dev.qemuoperator.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The addresses that the pod has seen its guest use on LANs. It leaves them with QEMU, which keeps
 * them for whoever asks: as the name in an authorization object that is there for nothing else, as
 * QEMU has no better place for a text that can be changed. Used by one thread.
 */
final class SeenAddresses {

  /** Its script {@code observe} writes there. */
  private static final Map<String, String> PLACE =
      Map.of("path", "/objects/seen-addresses", "property", "identity");

  /** That are shown; the pod may have seen a few more. */
  private static final int MOST = 64;

  private boolean isThere = true;
  private List<CardAddress> addresses = List.of();

  List<CardAddress> addresses() {
    return addresses;
  }

  void readAgain(QmpConnection connection) throws IOException {
    if (isThere) {
      read(connection);
    }
  }

  void read(QmpConnection connection) throws IOException {
    try {
      addresses = parse(connection.execute("qom-get", PLACE));
      isThere = true;
    } catch (QmpErrorException e) {
      isThere = false; // this machine is on no LAN, or its pod was made by an earlier release
      addresses = List.of();
    }
  }

  /** The guest has a say in what is seen, so it is bounded, and what is none is dropped. */
  private static List<CardAddress> parse(JsonNode seen) {
    return Stream.of(seen.asText().split(",", MOST + 1))
        .limit(MOST)
        .flatMap(text -> CardAddress.parse(text).stream())
        .toList();
  }
}
