package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;

/** The machine that QEMU emulates: always a q35 of a fixed version. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Machine(
    @JsonPropertyDescription(
            "Auto: KVM if the node has a usable /dev/kvm and a CPU with vmx or svm, else TCG, QEMU's"
                + " emulation. status.process.accelerator says which one it is.")
        @Default("Auto")
        Accelerator accelerator,
    @JsonPropertyDescription(
            "BIOS (SeaBIOS) or UEFI (OVMF). UEFI variables live on the first disk's volume.")
        @Default("BIOS")
        Firmware firmware,
    @JsonPropertyDescription(
            "What a watchdog card (i6300esb) does when the guest, having begun to, no longer feeds it. Reset:"
                + " the machine, in the same process. Poweroff: the process ends, and runStrategy says what follows.")
        @Default("None")
        Watchdog watchdog) {

  /** QEMU's accelerators. */
  public enum Accelerator {
    @JsonProperty("Auto")
    AUTO("Auto"),
    @JsonProperty("KVM")
    KVM("KVM"),
    @JsonProperty("TCG")
    TCG("TCG");

    private final String word;

    Accelerator(String word) {
      this.word = word;
    }

    /** The value as users write it. */
    public String word() {
      return word;
    }
  }

  /** What runs before the boot loader. */
  public enum Firmware {
    BIOS,
    UEFI
  }

  /** What becomes of a guest that hangs. */
  public enum Watchdog {
    /** There is no watchdog card. */
    @JsonProperty("None")
    NONE,
    @JsonProperty("Reset")
    RESET,
    @JsonProperty("Poweroff")
    POWEROFF
  }
}
