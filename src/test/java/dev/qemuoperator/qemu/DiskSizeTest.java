package dev.qemuoperator.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Quantity;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
}
