package dev.qemuoperator.network;

import dev.qemuoperator.api.BridgeNetworkSpec;
import dev.qemuoperator.qemu.IpAddresses;
import inet.ipaddr.IPAddress;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The addresses of a LAN.
 *
 * @param block all of them
 * @param reserved those of its own, and whose they are
 * @param first of the pool
 * @param last of the pool
 */
record Lan(
    IPAddress block,
    Map<IPAddress, String> reserved,
    Optional<IPAddress> first,
    Optional<IPAddress> last) {

  /** Of a spec without a {@link #problem}. */
  static Lan of(BridgeNetworkSpec spec) {
    IPAddress block = parse(spec.cidr()).toPrefixBlock();
    Map<IPAddress, String> reserved = new LinkedHashMap<>();
    boolean hasNoneOfItsOwn =
        block.getPrefixLength() >= block.getBitCount() - 1; // RFC 3021, RFC 6164
    if (!hasNoneOfItsOwn) {
      reserved.put(block.getLower().withoutPrefixLength(), "that of the LAN itself");
    }
    if (block.isIPv4() && !hasNoneOfItsOwn) {
      reserved.put(block.getUpper().withoutPrefixLength(), "the LAN's broadcast address");
    }
    dns(spec).forEach(server -> reserved.put(parse(server), "that of a name server (spec.dns)"));
    Optional.ofNullable(spec.gateway())
        .ifPresent(gateway -> reserved.put(parse(gateway), "that of the gateway (spec.gateway)"));
    Optional<BridgeNetworkSpec.Pool> pool = Optional.ofNullable(spec.pool());
    return new Lan(
        block, reserved, pool.map(of -> parse(of.start())), pool.map(of -> parse(of.end())));
  }

  /** What contradicts itself in a spec, and what to do. */
  static Optional<String> problem(BridgeNetworkSpec spec) {
    List<String> malformed =
        Stream.concat(
                Stream.of(spec.cidr()),
                Stream.concat(
                    dns(spec).stream(),
                    Stream.concat(Stream.ofNullable(spec.gateway()), ends(spec.pool()))))
            .filter(text -> !isAddress(text))
            .toList();
    if (!malformed.isEmpty()) {
      return Optional.of(
          "%s is no address. Correct it, such as 192.168.86.0/24 for spec.cidr"
              .formatted(String.join(", ", malformed)));
    }
    IPAddress block = parse(spec.cidr()).toPrefixBlock();
    List<String> outside =
        Stream.concat(Stream.ofNullable(spec.gateway()), ends(spec.pool()))
            .filter(text -> !block.contains(parse(text)))
            .toList();
    if (!outside.isEmpty()) {
      return Optional.of(
          "%s is not in spec.cidr %s. Correct the one or the other"
              .formatted(String.join(", ", outside), spec.cidr()));
    }
    return Optional.ofNullable(spec.pool())
        .filter(pool -> parse(pool.start()).compareTo(parse(pool.end())) > 0)
        .map(
            pool ->
                "spec.pool.start %s comes after spec.pool.end %s. Exchange them"
                    .formatted(pool.start(), pool.end()));
  }

  private static List<String> dns(BridgeNetworkSpec spec) {
    return Objects.requireNonNullElse(spec.dns(), List.of());
  }

  private static Stream<String> ends(BridgeNetworkSpec.Pool pool) {
    return Stream.ofNullable(pool).flatMap(of -> Stream.of(of.start(), of.end()));
  }

  private static boolean isAddress(String text) {
    return IpAddresses.parse(text).isPresent();
  }

  private static IPAddress parse(String text) {
    return IpAddresses.parse(text).orElseThrow();
  }

  /** As it is written everywhere; empty if it is none. */
  static Optional<String> canonical(String address) {
    return IpAddresses.parse(address).map(IPAddress::toCanonicalString);
  }

  /** Why no VM can have this address, and what to do. */
  Optional<String> objection(String address) {
    if (!isAddress(address) || !block.contains(parse(address))) {
      return Optional.of("is not in the LAN's %s".formatted(block.toCanonicalString()));
    }
    return Optional.ofNullable(reserved.get(parse(address))).map("is %s"::formatted);
  }

  /** The first address of the pool that is not among these. */
  Optional<String> free(Set<String> taken) {
    if (first.isEmpty()) {
      return Optional.empty();
    }
    for (IPAddress next = first.get();
        next != null && next.compareTo(last.get()) <= 0;
        next = next.increment(1)) {
      if (!taken.contains(next.toCanonicalString()) && !reserved.containsKey(next)) {
        return Optional.of(next.toCanonicalString());
      }
    }
    return Optional.empty();
  }

  boolean hasPool() {
    return first.isPresent();
  }

  boolean isInPool(String address) {
    return first
        .filter(from -> from.compareTo(parse(address)) <= 0)
        .flatMap(from -> last)
        .filter(to -> to.compareTo(parse(address)) >= 0)
        .isPresent();
  }

  /** How many addresses of the pool are not among these. */
  int count(Set<String> taken) {
    Set<String> gone =
        Stream.concat(taken.stream(), reserved.keySet().stream().map(IPAddress::toCanonicalString))
            .filter(this::isInPool)
            .collect(Collectors.toSet());
    BigInteger size = last.get().getValue().subtract(first.get().getValue()).add(BigInteger.ONE);
    return size.subtract(BigInteger.valueOf(gone.size()))
        .min(BigInteger.valueOf(Integer.MAX_VALUE))
        .intValue();
  }

  /** For sorting. */
  static List<String> sorted(Set<String> addresses) {
    List<String> all = new ArrayList<>(addresses);
    all.sort((one, other) -> parse(one).compareTo(parse(other)));
    return all;
  }
}
