package dev.qemuoperator.qemu;

/** What a device needs of its pod. Package {@code pod} handles every kind in one switch. */
public sealed interface Attachment {

  /**
   * An option of PID 1 of the pod, which the runner image defines (see images/runner/README.md).
   *
   * @param text the whole option, such as {@code --nat=52:54:00:12:34:56}
   */
  record WrapperOption(String text) implements Attachment {}

  /** A PersistentVolumeClaim of the mode Filesystem, mounted read-write. */
  record ClaimVolume(String name, String claim, String mountPath) implements Attachment {}

  /** A PersistentVolumeClaim of the mode Block. */
  record ClaimDevice(String name, String claim, String devicePath) implements Attachment {}

  /** Room on the node's disk that lives as long as the pod. */
  record EphemeralVolume(String name, String mountPath) implements Attachment {}

  /** Room in memory that lives as long as the pod. */
  record MemoryVolume(String name, String mountPath) implements Attachment {}

  /** A Secret, one file a key, readable by QEMU's user and nobody else. */
  record SecretVolume(String name, String secret, String mountPath) implements Attachment {}

  /** The node's /proc, for PID 1 of the pod alone, which unmounts it before QEMU starts. */
  record NodeProcesses(String name, String mountPath) implements Attachment {}

  /**
   * The base image of a disk, or the medium of a CD-ROM drive, in the node's cache, which is
   * mounted read-only. Where it still has to come from is not the machine's business.
   *
   * @param name of the disk or the drive
   */
  record BaseImage(String name) implements Attachment {}
}
