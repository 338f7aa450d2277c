package dev.qemuoperator.machine;

import dev.qemuoperator.api.Network;
import dev.qemuoperator.qemu.Hardware;
import dev.qemuoperator.qemu.IpAddresses;
import dev.qemuoperator.qmp.CardAddress;
import dev.qemuoperator.qmp.GuestReport;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Answers;
import inet.ipaddr.IPAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the guest has on a card that is on a LAN.
 *
 * @param isReported by the guest, which then has said all; else it was seen to use these, and may
 *     have more
 */
record GuestAddresses(List<String> addresses, boolean isReported) {

  /** Of a card on the pod network, as the runner's script {@code network} sets it up. */
  private static final List<String> BEHIND_THE_POD = List.of("10.0.2.0/24", "fd71:656d:7500::/64");

  /** Empty if nobody knows. */
  static Optional<GuestAddresses> of(MachineInputs in, Network card) {
    Optional<Answers> answers = in.qmp().map(Observation::answers);
    return answers
        .map(Answers::report)
        .flatMap(report -> reported(in, card, report))
        .or(() -> answers.map(Answers::seen).flatMap(seen -> observed(in, card, seen)));
  }

  boolean has(String address) {
    return addresses.stream().anyMatch(one -> LanCards.sameAddress(one, address));
  }

  /**
   * Empty if it says nothing of its cards. A guest may have the card as a port of a bridge of its
   * own, which has another MAC: then what it has of the LAN.
   */
  private static Optional<GuestAddresses> reported(
      MachineInputs in, Network card, GuestReport report) {
    return report
        .addressesOf(Hardware.macAddress(in.identity(), card))
        .map(
            own ->
                own.isEmpty()
                    ? report.addresses().stream().filter(one -> isOn(in, card, one)).toList()
                    : own)
        .map(addresses -> new GuestAddresses(addresses, true));
  }

  /** Empty if that tells nothing of the address that the card was given. */
  private static Optional<GuestAddresses> observed(
      MachineInputs in, Network card, List<CardAddress> seen) {
    String mac = Hardware.macAddress(in.identity(), card);
    List<String> addresses =
        seen.stream()
            .filter(address -> address.isOf(mac))
            .map(CardAddress::address)
            .filter(address -> !isOfAnother(in, card, address))
            .toList();
    return Optional.of(new GuestAddresses(addresses, false))
        .filter(known -> !addresses.isEmpty())
        .filter(known -> LanCards.given(in, card).stream().allMatch(known::tellsOf));
  }

  /** Of IPv6 a card has several addresses as a rule, and may not have used this one yet. */
  private boolean tellsOf(String given) {
    return has(given)
        || (IpAddresses.isIpv4(given) && addresses.stream().anyMatch(IpAddresses::isIpv4));
  }

  /** A card asks and answers on its LAN with the addresses of others, too, unless told not to. */
  private static boolean isOfAnother(MachineInputs in, Network card, String address) {
    return Hardware.networks(in.spec()).stream()
        .filter(other -> !other.name().equals(card.name()))
        .anyMatch(
            other ->
                isGiven(in, other, address)
                    || (isOn(in, other, address) && !isOn(in, card, address)));
  }

  private static boolean isGiven(MachineInputs in, Network card, String address) {
    return card.bridge() != null
        && LanCards.given(in, card).filter(one -> LanCards.sameAddress(one, address)).isPresent();
  }

  private static boolean isOn(MachineInputs in, Network card, String address) {
    Optional<IPAddress> known = IpAddresses.parse(address);
    return prefixes(in, card)
        .flatMap(cidr -> IpAddresses.parse(cidr).stream())
        .anyMatch(cidr -> known.isPresent() && cidr.toPrefixBlock().contains(known.get()));
  }

  private static Stream<String> prefixes(MachineInputs in, Network card) {
    return card.pod() != null
        ? BEHIND_THE_POD.stream()
        : LanCards.network(in, card).map(lan -> lan.getSpec().cidr()).stream();
  }
}
