package dev.qemuoperator.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.machine.Specs;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {

  private static final String DISK =
      "disks: [{name: root, source: {containerImage: {image: a}}, storage: {ephemeral: {}}}]\n";

  @Test
  void emulationNeedsRoomForItsTranslationCache() {
    MemoryBudget kvm = budget("machine: {accelerator: KVM}\n");
    MemoryBudget tcg = budget("machine: {accelerator: TCG}\n");
    OptionalLong cache =
        MemoryBudget.translationCacheMiB(Specs.of("machine: {accelerator: TCG}\n" + DISK));
    assertThat(tcg.overheadMiB() - kvm.overheadMiB()).isGreaterThan(cache.orElseThrow());
  }

  @Test
  void autoReservesWhatEmulationWouldNeed() {
    assertThat(budget("machine: {accelerator: Auto}\n"))
        .isEqualTo(budget("machine: {accelerator: TCG}\n"));
  }

  @Test
  void moreMemoryAndMoreProcessorsNeedMoreBesideThem() {
    MemoryBudget small = budget("memory: {size: 1Gi}\n");
    assertThat(budget("memory: {size: 64Gi}\n").overheadMiB()).isGreaterThan(small.overheadMiB());
    assertThat(budget("cpu: {cores: 16}\n").overheadMiB()).isGreaterThan(small.overheadMiB());
  }

  @Test
  void restOfAMebibyteIsRoundedDown() {
    assertThat(budget("memory: {size: 1000M}\n").guestMiB()).isEqualTo(953);
  }

  @Test
  void plainNumberIsBytes() {
    assertThat(budget("memory: {size: 134217728}\n").guestMiB()).isEqualTo(128);
  }

  @Test
  void podGetsBoth() {
    MemoryBudget budget = budget("memory: {size: 4Ti}\n");
    assertThat(budget.guestMiB()).isEqualTo(4L * 1024 * 1024);
    assertThat(budget.totalMiB()).isEqualTo(budget.guestMiB() + budget.overheadMiB());
  }

  private static MemoryBudget budget(String fields) {
    return MemoryBudget.of(Specs.of(fields + DISK));
  }
}
