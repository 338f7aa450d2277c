package dev.qemuoperator.pod;

import java.util.List;

/** Where a pod fetches the base image of a disk, or the medium of a CD-ROM drive, from. */
public sealed interface ImageOrigin {

  /**
   * A file behind any of several URLs.
   *
   * @param urls in the order in which they are tried
   * @param checksum {@code sha256:…} or {@code sha512:…} in hex, of the file as it is published
   * @param format QEMU's name of it; empty: it is looked at
   */
  record Urls(List<String> urls, String checksum, String format) implements ImageOrigin {}

  /**
   * A container image that holds nothing but a disk.
   *
   * @param digest {@code sha256:…} of the disk's file; empty: whatever the image has
   */
  record ContainerImage(String image, String digest) implements ImageOrigin {}
}
