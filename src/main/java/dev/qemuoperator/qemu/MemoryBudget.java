package dev.qemuoperator.qemu;

import dev.qemuoperator.api.Machine.Accelerator;
import dev.qemuoperator.api.VirtualMachineSpec;
import java.math.BigDecimal;
import java.util.OptionalLong;

/**
 * The memory of the pod: the guest's RAM and what QEMU needs beside it, both in MiB.
 *
 * <p>The figures are measurements (docs/performance.md) with room above them, not a formula of
 * QEMU's: about 48 MiB of process with the devices that every VM has, page tables of 1/512 of the
 * RAM, a stack and a little heap for each CPU; TCG adds its translation cache and its own heap.
 * Auto reserves for TCG, because the node that decides is not known yet.
 */
public record MemoryBudget(long guestMiB, long overheadMiB) {

  /** A smaller one is full in mid-boot: QEMU then throws all away and translates again. */
  private static final long TRANSLATION_CACHE_MIB = 128;

  private static final long MEBIBYTE = 1024 * 1024;

  /** The budget of a spec whose defaults the API server has filled in. */
  public static MemoryBudget of(VirtualMachineSpec spec) {
    BigDecimal bytes = spec.memory().size().getNumericalAmount();
    long guest = bytes.longValue() / MEBIBYTE;
    long process = 60 + guest / 512 + 2L * spec.cpu().cores();
    OptionalLong cache = translationCacheMiB(spec);
    return new MemoryBudget(guest, process + (cache.isPresent() ? 32 + cache.getAsLong() : 0));
  }

  /** Bound of TCG's translation cache (tb-size), which QEMU fills; empty if there is only KVM. */
  static OptionalLong translationCacheMiB(VirtualMachineSpec spec) {
    return spec.machine().accelerator() == Accelerator.KVM
        ? OptionalLong.empty()
        : OptionalLong.of(TRANSLATION_CACHE_MIB);
  }

  /** The pod's request and limit. */
  public long totalMiB() {
    return guestMiB + overheadMiB;
  }
}
