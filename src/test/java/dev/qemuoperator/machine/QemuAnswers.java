package dev.qemuoperator.machine;

import dev.qemuoperator.qmp.CdromDrive;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.Observation.Answers;
import java.util.List;
import java.util.Map;

/** Answers of a QEMU whose guest has said nothing. */
final class QemuAnswers {

  private QemuAnswers() {}

  static Answers running(Map<String, DiskImage> disks, Map<String, CdromDrive> cdroms) {
    return in("running", disks, cdroms);
  }

  static Answers in(String runState, Map<String, DiskImage> disks, Map<String, CdromDrive> cdroms) {
    return new Answers(runState, "KVM", "10.0.13", null, null, List.of(), disks, cdroms);
  }
}
