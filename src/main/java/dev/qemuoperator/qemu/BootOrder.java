package dev.qemuoperator.qemu;

import dev.qemuoperator.api.Cdrom;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.VirtualMachineSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The order in which the firmware tries the disks and CD-ROM drives of a machine: first what has a
 * {@code bootOrder}, then the other disks, then the other drives. So an installer's CD is booted
 * while the disk is blank, and the disk once there is something on it.
 *
 * @param names of disks and drives, which are distinct
 */
record BootOrder(List<String> names) {

  private record Candidate(String name, Integer bootOrder) {}

  static BootOrder of(VirtualMachineSpec spec) {
    List<Candidate> candidates = new ArrayList<>();
    spec.disks().forEach(disk -> candidates.add(new Candidate(disk.name(), disk.bootOrder())));
    spec.cdroms().forEach(cdrom -> candidates.add(new Candidate(cdrom.name(), cdrom.bootOrder())));
    return new BootOrder(
        candidates.stream()
            .sorted(
                Comparator.comparing(
                    Candidate::bootOrder, Comparator.nullsLast(Comparator.naturalOrder())))
            .map(Candidate::name)
            .toList());
  }

  /** QEMU's bootindex, from 1. */
  int of(Disk disk) {
    return names.indexOf(disk.name()) + 1;
  }

  /** QEMU's bootindex, from 1. */
  int of(Cdrom cdrom) {
    return names.indexOf(cdrom.name()) + 1;
  }
}
