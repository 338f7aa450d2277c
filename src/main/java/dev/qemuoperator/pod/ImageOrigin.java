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
   * A file in any of several places.
   *
   * @param places in the order in which they are tried
   * @param checksum {@code sha256:…} or {@code sha512:…} in hex, of the file as it is published
   * @param format QEMU's name of it; empty: it is looked at
   */
  record File(List<FilePlace> places, String checksum, String format) implements ImageOrigin {

    List<FilePlace.Mounted> mounted() {
      return places.stream()
          .filter(FilePlace.Mounted.class::isInstance)
          .map(FilePlace.Mounted.class::cast)
          .toList();
    }
  }

  /**
   * A container image that holds nothing but a disk.
   *
   * @param digest {@code sha256:…} of the disk's file; empty: whatever the image has
   */
  record ContainerImage(String image, String digest) implements ImageOrigin {}

  /**
   * Where a VirtualMachineImage that is resolved comes from; empty if that is a directory of nodes
   * which has gone since.
   *
   * @param source the one that serves it
   * @param digest what it must be; empty: whatever its source has
   */
  static Optional<ImageOrigin> of(
      VirtualMachineImageSpec spec, HostPathRoots roots, String source, String digest) {
    List<FilePlace> places =
        spec.sources().stream()
            .flatMap(candidate -> FilePlace.of(candidate, roots).stream())
            // what has answered first, and the others in their order
            .sorted(Comparator.comparing(place -> !place.title().equals(source)))
            .toList();
    if (places.stream().anyMatch(place -> place.title().equals(source))) {
      String format = Optional.ofNullable(spec.format()).map(Format::word).orElse("");
      return Optional.of(new File(places, digest, format));
    }
    return spec.sources().stream()
        .flatMap(candidate -> Stream.ofNullable(candidate.containerImage()))
        .filter(candidate -> candidate.image().equals(source))
        .<ImageOrigin>map(candidate -> new ContainerImage(source, digest))
        .findFirst();
  }
}
