package dev.qemuoperator.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.BridgeNetworkSpec.Pool;
import dev.qemuoperator.api.BridgeNetworkStatus.Conflict;
import dev.qemuoperator.api.BridgeNetworkStatus.Lease;
import dev.qemuoperator.network.Leases.Card;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LeasesTest {

  private static final Lan LAN =
      Lan.of(LanTest.spec("10.0.0.0/24", "10.0.0.1", List.of(), new Pool("10.0.0.1", "10.0.0.3")));

  private static Card card(String vm, String wanted) {
    return card(vm, wanted, "2026-01-01T00:00:00Z", null);
  }

  private static Card card(String vm, String wanted, String createdAt, String known) {
    return new Card(
        "ns",
        vm,
        "uid-of-" + vm,
        "lan",
        Optional.ofNullable(wanted),
        Optional.ofNullable(known),
        createdAt);
  }

  private static Lease lease(String address, String vm) {
    return new Lease(address, "ns", vm, "uid-of-" + vm, "lan");
  }

  /** What only a pod has. */
  private static Lease held(String address, String vm) {
    return new Lease(address, "ns", vm, "", "lan");
  }

  private static Leases leases(List<Lease> before, List<Card> cards, List<Lease> held) {
    return Leases.of("home", LAN, namespace -> true, before, cards, held);
  }

  @Test
  void whoAsksForAnAddressGetsThatAndTheOthersOneOfThePool() {
    Leases leases =
        leases(
            List.of(), List.of(card("a", null), card("b", "10.0.0.2"), card("c", null)), List.of());
    assertThat(leases.leases()).containsExactly(lease("10.0.0.2", "b"), lease("10.0.0.3", "a"));
    assertThat(leases.conflicts())
        .extracting(Conflict::virtualMachine, Conflict::reason)
        .containsExactly(org.assertj.core.api.Assertions.tuple("c", "PoolExhausted"));
  }

  @Test
  void whoHasOneKeepsItWhoeverComes() {
    List<Lease> before = List.of(lease("10.0.0.3", "b"));
    Leases leases =
        leases(
            before,
            List.of(
                card("a", "10.0.0.3", "2025-01-01T00:00:00Z", null),
                card("b", null, "2026-01-01T00:00:00Z", null)),
            List.of());
    assertThat(leases.leases()).isEqualTo(before);
    assertThat(leases.conflicts())
        .singleElement()
        .satisfies(
            conflict -> {
              assertThat(conflict.reason()).isEqualTo("AddressInUse");
              assertThat(conflict.message()).contains("10.0.0.3", "ns/b");
            });
  }

  @Test
  void whoCameFirstGetsIt() {
    Leases leases =
        leases(
            List.of(),
            List.of(
                card("late", "10.0.0.9", "2026-01-02T00:00:00Z", null),
                card("early", "10.0.0.9", "2026-01-01T00:00:00Z", null)),
            List.of());
    assertThat(leases.leases()).containsExactly(lease("10.0.0.9", "early"));
    assertThat(leases.conflicts()).extracting(Conflict::virtualMachine).containsExactly("late");
  }

  @Test
  void addressIsFreeOnceTheVmAndItsPodHaveGone() {
    List<Lease> before = List.of(lease("10.0.0.2", "gone"));
    List<Card> cards = List.of(card("next", "10.0.0.2"));
    assertThat(leases(before, cards, before).leases()).containsExactly(held("10.0.0.2", "gone"));
    assertThat(leases(before, cards, before).conflicts()).hasSize(1);
    List<Lease> resting = leases(before, cards, List.of()).leases();
    assertThat(resting).containsExactly(held("10.0.0.2", "gone"));
    assertThat(leases(resting, cards, List.of()).leases())
        .containsExactly(lease("10.0.0.2", "next"));
  }

  @Test
  void addressOfARunningGuestStaysItsOwnWhenItsSpecSaysAnother() {
    List<Lease> running = List.of(lease("10.0.0.2", "a"));
    Leases leases = leases(running, List.of(card("a", "10.0.0.9"), card("b", "10.0.0.2")), running);
    assertThat(leases.leases()).containsExactly(held("10.0.0.2", "a"), lease("10.0.0.9", "a"));
    assertThat(leases.conflicts()).extracting(Conflict::virtualMachine).containsExactly("b");
  }

  @Test
  void addressThatIsTheLansOwnNowIsNotThatOfTheNextPod() {
    List<Lease> running = List.of(lease("10.0.0.1", "a"));
    assertThat(leases(running, List.of(card("a", null)), running).leases())
        .containsExactly(held("10.0.0.1", "a"), lease("10.0.0.2", "a"));
  }

  @Test
  void addressCanGoToAnotherCardOfTheSameVm() {
    List<Lease> running = List.of(new Lease("10.0.0.9", "ns", "a", "uid-of-a", "older"));
    Leases leases = leases(running, List.of(card("a", "10.0.0.9")), running);
    assertThat(leases.conflicts()).isEmpty();
    assertThat(leases.leases()).containsExactly(lease("10.0.0.9", "a"));
  }

  @Test
  void vmOfTheSameNameTakesOverWhatTheEarlierOneHad() {
    Lease earlier = new Lease("10.0.0.3", "ns", "a", "earlier", "lan");
    assertThat(leases(List.of(earlier), List.of(card("a", null)), List.of(earlier)).leases())
        .containsExactly(lease("10.0.0.3", "a"));
  }

  @Test
  void whatTheStatusOfTheVmsHasOutlivesTheNetwork() {
    Leases leases =
        leases(
            List.of(),
            List.of(
                card("a", null, "2026-01-01T00:00:00Z", null),
                card("b", null, "2026-01-02T00:00:00Z", "10.0.0.3")),
            List.of(lease("10.0.0.3", "b")));
    assertThat(leases.leases()).containsExactly(lease("10.0.0.2", "a"), lease("10.0.0.3", "b"));
  }

  @Test
  void podThatIsNoKnownVmsHoldsNothing() {
    Leases leases =
        leases(List.of(), List.of(card("a", "10.0.0.2")), List.of(lease("10.0.0.2", "stranger")));
    assertThat(leases.leases()).containsExactly(lease("10.0.0.2", "a"));
    assertThat(leases.conflicts()).isEmpty();
  }

  @Test
  void refusesWhatCannotBe() {
    Lan noPool = Lan.of(LanTest.spec("10.0.0.0/24", "10.0.0.1", List.of(), null));
    assertThat(
            Leases.of(
                    "home",
                    noPool,
                    "ns"::equals,
                    List.of(),
                    List.of(card("a", "10.0.0.1"), card("b", "10.0.1.1"), card("c", null)),
                    List.of())
                .conflicts())
        .extracting(Conflict::reason)
        .containsExactly("AddressNotUsable", "AddressNotUsable", "NoPool");
    assertThat(
            Leases.of("home", LAN, "other"::equals, List.of(), List.of(card("a", null)), List.of())
                .conflicts())
        .extracting(Conflict::reason)
        .containsExactly("NamespaceNotAllowed");
  }

  /** Whatever comes, goes and changes, in whatever order. */
  @Test
  void noAddressIsEverGivenTwice() {
    Random random = new Random(1);
    List<Lease> before = List.of();
    List<Lease> pods = new ArrayList<>();
    for (int round = 0; round < 2000; round++) {
      List<Card> cards = new ArrayList<>();
      for (int vm = 0; vm < 6; vm++) {
        if (random.nextInt(4) > 0) {
          cards.add(card("vm" + vm, random.nextBoolean() ? "10.0.0." + random.nextInt(6) : null));
        }
      }
      Collections.shuffle(cards, random);
      Leases leases = leases(before, cards, pods);
      before = leases.leases();
      assertThat(before).extracting(Lease::address).doesNotHaveDuplicates();
      assertThat(before)
          .as("what pods have")
          .extracting(Lease::address)
          .containsAll(pods.stream().map(Lease::address).toList());
      assertThat(before.size() + leases.conflicts().size()).isGreaterThanOrEqualTo(cards.size());
      pods.removeIf(pod -> random.nextInt(3) == 0);
      for (Lease lease : before) {
        boolean hasPod =
            pods.stream().anyMatch(pod -> pod.virtualMachine().equals(lease.virtualMachine()));
        if (!hasPod && random.nextBoolean()) {
          pods.add(lease);
        }
      }
    }
  }
}
