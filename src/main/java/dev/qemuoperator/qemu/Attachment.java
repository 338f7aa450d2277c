package dev.qemuoperator.qemu;

/** What a device needs of its pod. Package {@code pod} handles every kind in one switch. */
public sealed interface Attachment {

  /**
   * An option of PID 1 of the pod, which the runner image defines (see images/runner/README.md).
   *
   * @param text the whole option, such as {@code --nat=52:54:00:12:34:56}
   */
  record WrapperOption(String text) implements Attachment {}

  /** A PersistentVolumeClaim, mounted read-write. */
  record ClaimVolume(String name, String claim, String mountPath) implements Attachment {}

  /** Room on the node's disk that lives as long as the pod. */
  record EphemeralVolume(String name, String mountPath) implements Attachment {}

  /** Room in memory that lives as long as the pod. */
  record MemoryVolume(String name, String mountPath) implements Attachment {}

  /** A Secret, one file a key, readable by QEMU's user and nobody else. */
  record SecretVolume(String name, String secret, String mountPath) implements Attachment {}

  /** The node's cache of base images, read-only. */
  record ImageCache() implements Attachment {}

  /**
   * The base image of a disk must come from a URL first.
   *
   * @param checksum {@code sha256:…} or {@code sha512:…} in hex
   */
  record HttpFetch(String disk, String url, String checksum) implements Attachment {}

  /** The base image of a disk must be taken out of a container image first. */
  record ContainerImageFetch(String disk, String image) implements Attachment {}
}
