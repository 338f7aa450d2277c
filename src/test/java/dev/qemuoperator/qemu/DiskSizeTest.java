package dev.qemuoperator.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Quantity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DiskSizeTest {

  @ParameterizedTest
  @CsvSource({
    "8Gi,8Gi",
    "1024Mi,1Gi",
    "12G,12G",
    "125Gi,125Gi",
    "500M,500000256",
    "1536Mi,1536Mi",
    "64Ti,64Ti"
  })
  void isToldInItsShortestExactForm(String wanted, String told) {
    assertThat(DiskSize.of(new Quantity(wanted)).quantity()).hasToString(told);
  }

  @ParameterizedTest
  @CsvSource({"8Gi,8589934592", "500M,499999744"})
  void doesNotExceedItsVolume(String volume, long bytes) {
    assertThat(DiskSize.within(new Quantity(volume))).isEqualTo(new DiskSize(bytes));
  }

  /** 4194304 bytes are the tables that do not depend on the size. */
  @ParameterizedTest
  @CsvSource({"4198401,4096", "4194304,0", "1Mi,0", "8198Mi,8589934592"})
  void leavesRoomForTheTablesOnADeviceOfItsOwn(String volume, long atLeast) {
    assertThat(DiskSize.onDevice(new Quantity(volume)).bytes())
        .isBetween(atLeast, atLeast + (2 << 20));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1Mi", "64Mi", "500M", "8Gi", "10G", "17179865600", "1097728", "64Ti"})
  void fitsOnTheDeviceThatIsMadeForIt(String size) {
    DiskSize disk = DiskSize.of(new Quantity(size));
    assertThat(DiskSize.onDevice(disk.device())).isGreaterThanOrEqualTo(disk);
  }

  /** However short of a whole mebibyte the device is. */
  @Test
  void fitsInTheRoomThatItNeeds() {
    for (long bytes = 1 << 20; bytes < 3 << 20; bytes += 512) {
      long needed = bytes + Math.ceilDiv(bytes, 4096L) + (4 << 20);
      assertThat(DiskSize.onDevice(new Quantity(String.valueOf(needed))).bytes()).isEqualTo(bytes);
    }
  }
}
