package dev.qemuoperator.qemu;

import dev.qemuoperator.api.Machine.Accelerator;
import dev.qemuoperator.api.VirtualMachineSpec;
import java.math.BigDecimal;

/**
 * The memory of the pod: the guest's RAM and what QEMU needs beside it, both in MiB.
 *
 * <p>The figures are measurements (docs/performance.md) with room above them, not a formula of
 * QEMU's: about 48 MiB of process with the devices that every VM has, page tables of 1/512 of the
 * RAM, a stack and a little heap for each CPU; TCG adds its translation cache, which the wrapper
 * bounds, and its own heap. Auto reserves for TCG, because the node that decides is not known yet.
 */
public record MemoryBudget(long guestMiB, long overheadMiB) {

  /** Bound of TCG's translation cache; the wrapper in images/runner passes it as tb-size. */
  static final long TRANSLATION_CACHE_MIB = 64;

  private static final long MEBIBYTE = 1024 * 1024;

  /** The budget of a spec whose defaults the API server has filled in. */
  public static MemoryBudget of(VirtualMachineSpec spec) {
    BigDecimal bytes = spec.memory().size().getNumericalAmount();
    long guest = bytes.longValue() / MEBIBYTE;
    long process = 60 + guest / 512 + 2L * spec.cpu().cores();
    boolean emulated = spec.machine().accelerator() != Accelerator.KVM;
    return new MemoryBudget(guest, process + (emulated ? 32 + TRANSLATION_CACHE_MIB : 0));
  }

  /** The pod's request and limit. */
  public long totalMiB() {
    return guestMiB + overheadMiB;
  }
}
