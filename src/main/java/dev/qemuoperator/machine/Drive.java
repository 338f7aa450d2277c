package dev.qemuoperator.machine;

import dev.qemuoperator.api.Cdrom;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.VirtualMachineSpec;
import java.util.List;
import java.util.stream.Stream;

/** A disk, or a CD-ROM drive with a medium: what is in it comes from somewhere. */
sealed interface Drive {

  String name();

  /** For messages, such as {@code Disk root}. */
  String title();

  Disk.Source source();

  /** A disk, which is made from its source once. */
  record Hard(Disk disk) implements Drive {

    @Override
    public String name() {
      return disk.name();
    }

    @Override
    public String title() {
      return "Disk " + name();
    }

    @Override
    public Disk.Source source() {
      return disk.source();
    }
  }

  /** A CD-ROM drive, in which is what its source says now. */
  record Optical(Cdrom cdrom) implements Drive {

    @Override
    public String name() {
      return cdrom.name();
    }

    @Override
    public String title() {
      return "CD-ROM " + name();
    }

    @Override
    public Disk.Source source() {
      return new Disk.Source(cdrom.source().image(), cdrom.source().http(), null, null, null);
    }
  }

  /** All of a VM but the empty ones. */
  static List<Drive> of(VirtualMachineSpec spec) {
    return Stream.<Drive>concat(
            spec.disks().stream().map(Hard::new),
            spec.cdroms().stream().filter(cdrom -> cdrom.source() != null).map(Optical::new))
        .toList();
  }

  /**
   * Whether any comes from a VirtualMachineImage; which of these are in which HostPathRoot, they
   * know themselves.
   */
  static boolean areOfImages(VirtualMachineSpec spec) {
    return of(spec).stream().anyMatch(drive -> drive.source().image() != null);
  }
}
