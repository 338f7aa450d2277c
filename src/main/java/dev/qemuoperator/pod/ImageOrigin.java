package dev.qemuoperator.pod;

import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageSpec.Format;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

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

  /**
   * Where a VirtualMachineImage that is resolved comes from.
   *
   * @param digest what it must be; empty: whatever its source has
   */
  static ImageOrigin of(VirtualMachineImageSpec spec, String source, String digest) {
    List<String> urls =
        spec.sources().stream()
            .flatMap(candidate -> Stream.ofNullable(candidate.http()))
            .map(VirtualMachineImageSpec.Http::url)
            // what has answered first, and the others in their order
            .sorted(Comparator.comparing(url -> !url.equals(source)))
            .toList();
    return !urls.contains(source)
        ? new ContainerImage(source, digest)
        : new Urls(urls, digest, Optional.ofNullable(spec.format()).map(Format::word).orElse(""));
  }
}
