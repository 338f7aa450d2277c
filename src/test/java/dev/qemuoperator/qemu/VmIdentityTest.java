package dev.qemuoperator.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class VmIdentityTest {

  private final VmIdentity vm = new VmIdentity("default", "web", "uid-1");

  @Test
  void macAddressIsLocallyAdministeredUnicast() {
    IntStream.range(0, 1000)
        .mapToObj(i -> new VmIdentity("default", "web", "uid-" + i).macAddress("default"))
        .forEach(
            mac -> {
              assertThat(mac).matches("52:54:00(:[0-9a-f]{2}){3}");
              int first = Integer.parseInt(mac.substring(0, 2), 16);
              assertThat(first & 0b10).as("locally administered").isNotZero();
              assertThat(first & 0b01).as("multicast").isZero();
            });
  }

  @Test
  void macAddressStaysForTheLifeOfTheObject() {
    // guests have it in their network configuration: no release of the operator may change it
    assertThat(vm.macAddress("default")).isEqualTo("52:54:00:98:d5:a7");
  }

  @Test
  void vmOfTheSameNameThatIsMadeAnewHasAnotherMacAddress() {
    assertThat(new VmIdentity("default", "web", "uid-2").macAddress("default"))
        .isNotEqualTo(vm.macAddress("default"));
  }

  @Test
  void networksOfAVmHaveDifferentMacAddresses() {
    assertThat(vm.macAddress("lan")).isNotEqualTo(vm.macAddress("default"));
  }
}
