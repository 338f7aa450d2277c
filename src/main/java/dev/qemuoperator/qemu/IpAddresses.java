package dev.qemuoperator.qemu;

import inet.ipaddr.AddressStringException;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import inet.ipaddr.IPAddressStringParameters;
import inet.ipaddr.IncompatibleAddressException;
import java.util.Optional;

/**
 * Addresses as people write them, and nothing that means one address to one program and another to
 * the next.
 */
public final class IpAddresses {

  /**
   * Without what inet_aton takes as well: 192.168.86.010 is 192.168.86.8 there, and 10/8 is
   * 0.0.0.10/8.
   */
  private static final IPAddressStringParameters STRICT =
      new IPAddressStringParameters.Builder()
          .allowEmpty(false)
          .allowAll(false)
          .allowSingleSegment(false)
          .allowMask(false)
          .allowPrefixOnly(false)
          .allowWildcardedSeparator(false)
          .getIPv4AddressParametersBuilder()
          .allow_inet_aton(false)
          .allowLeadingZeros(false)
          .getParentBuilder()
          .toParams();

  private IpAddresses() {}

  /**
   * @param text an IPv4 or IPv6 address, with the length of a prefix or without
   */
  public static Optional<IPAddress> parse(String text) {
    try {
      return Optional.of(new IPAddressString(text, STRICT).toAddress())
          .filter(address -> !address.isMultiple() || address.isPrefixed());
    } catch (AddressStringException | IncompatibleAddressException e) {
      return Optional.empty();
    }
  }

  /** Empty text and what is no address are not. */
  public static boolean isIpv4(String text) {
    return parse(text).filter(IPAddress::isIPv4).isPresent();
  }
}
