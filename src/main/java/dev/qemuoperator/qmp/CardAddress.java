package dev.qemuoperator.qmp;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An address of a network card of a guest.
 *
 * @param macAddress in lower case
 * @param address an IP literal that others may reach
 */
public record CardAddress(String macAddress, String address) {

  private static final Pattern MAC = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");
  private static final Pattern ADDRESS = Pattern.compile("[0-9a-f:.]{2,45}");

  /** Of {@code MAC ADDRESS}; empty if it is something else, or nobody may reach it there. */
  static Optional<CardAddress> parse(String text) {
    String[] words = text.split(" ", 2);
    return words.length == 2 && MAC.matcher(words[0]).matches() && isReachable(words[1])
        ? Optional.of(new CardAddress(words[0], words[1]))
        : Optional.empty();
  }

  public boolean isOf(String macAddress) {
    return this.macAddress.equalsIgnoreCase(macAddress);
  }

  /** Whether it is the literal of an address that others may reach. Never asks a resolver. */
  static boolean isReachable(String text) {
    if (!ADDRESS.matcher(text).matches()) {
      return false;
    }
    try {
      InetAddress address = InetAddress.ofLiteral(text);
      // 10.1 is a way to write 10.0.0.1 that others do not read so
      boolean written = !(address instanceof Inet4Address) || address.getHostAddress().equals(text);
      return written
          && !address.isLoopbackAddress()
          && !address.isLinkLocalAddress()
          && !address.isAnyLocalAddress()
          && !address.isMulticastAddress();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
