package dev.qemuoperator.qemu;

import java.util.List;

/**
 * One thing of the machine: its part of QEMU's command line, and what the pod must have for it.
 * They are one value so that an argument cannot name a file that nobody mounts.
 *
 * @param args arguments of qemu-system-x86_64, in order
 * @param attachments what the pod needs for them
 */
public record Device(List<String> args, List<Attachment> attachments) {

  public Device {
    args = List.copyOf(args);
    attachments = List.copyOf(attachments);
  }

  static Device of(String... args) {
    return new Device(List.of(args), List.of());
  }

  Device with(Attachment... needed) {
    return new Device(args, List.of(needed));
  }
}
