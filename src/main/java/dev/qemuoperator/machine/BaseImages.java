package dev.qemuoperator.machine;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.ImageConditions;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.pod.FilePlace;
import dev.qemuoperator.pod.ImageOrigin;
import dev.qemuoperator.pod.VmObjects.DiskNotes;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.status.ConditionList;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The base images of disks and the media of CD-ROM drives that the next pod needs on its node.
 *
 * @param fetch by disk or drive, where its image has to come from first
 * @param awaited why there can be no such pod yet
 */
record BaseImages(Map<String, ImageOrigin> fetch, Optional<Verdict> awaited) {

  static BaseImages of(MachineInputs in) {
    Map<String, ImageOrigin> fetch = new TreeMap<>();
    Optional<Verdict> awaited = Optional.empty();
    for (Drive drive : Drive.of(in.spec())) {
      if (mustCome(in, drive)) {
        origin(in, drive).ifPresent(origin -> fetch.put(drive.name(), origin));
        awaited = awaited.or(() -> lack(in, drive));
      }
    }
    return new BaseImages(fetch, awaited);
  }

  /**
   * A base image is fetched by every pod of an ephemeral disk, a medium by every pod of its drive,
   * and a base image by pods of a claim until it is known to have come. If QEMU's wrapper finds it
   * missing all the same, because the pod went to another node, it says so and the next pod fetches
   * it again.
   */
  private static boolean mustCome(MachineInputs in, Drive drive) {
    return drive.source().blank() == null && notes(in, drive).image().isEmpty();
  }

  /** Where an image comes from; empty if its VirtualMachineImage does not know. */
  static Optional<ImageOrigin> origin(MachineInputs in, Drive drive) {
    Disk.Source source = drive.source();
    // of a disk that has lost its base: no other would do
    Optional<String> digest = notes(in, drive).digest();
    if (source.http() != null) {
      return Optional.of(
          new ImageOrigin.File(
              List.of(new FilePlace.Url(source.http().url())),
              digest.orElse(source.http().checksum()),
              ""));
    }
    if (source.claim() != null) {
      return Optional.of(
          new ImageOrigin.File(
              List.of(place(source.claim())), digest.orElse(source.claim().checksum()), ""));
    }
    if (source.containerImage() != null) {
      return Optional.of(
          new ImageOrigin.ContainerImage(source.containerImage().image(), digest.orElse("")));
    }
    return Optional.ofNullable(in.images().get(source.image()))
        .filter(image -> image.getStatus() != null && image.getStatus().source() != null)
        .filter(image -> readiness(image).filter(c -> "True".equals(c.getStatus())).isPresent())
        .flatMap(
            image ->
                ImageOrigin.of(
                    image.getSpec(),
                    in.roots(),
                    image.getStatus().source(),
                    digest.orElse(Objects.toString(image.getStatus().digest(), ""))));
  }

  private static FilePlace place(Disk.ClaimFile file) {
    return new FilePlace.OnClaim(file.name(), file.path());
  }

  private static Optional<Condition> readiness(VirtualMachineImage image) {
    return Optional.ofNullable(image.getStatus())
        // of an earlier spec it says nothing
        .filter(
            status ->
                Objects.equals(status.observedGeneration(), image.getMetadata().getGeneration()))
        .flatMap(status -> ConditionList.find(status.conditions(), ImageConditions.Ready.TYPE));
  }

  /** Why a VirtualMachineImage does not know where its image comes from. */
  static Optional<Verdict> lack(MachineInputs in, Drive drive) {
    String name = drive.source().image();
    if (name == null || origin(in, drive).isPresent()) {
      return Optional.empty();
    }
    VirtualMachineImage image = in.images().get(name);
    if (image == null) {
      return Optional.of(
          Verdict.no(
              DisksReady.IMAGE_NOT_FOUND,
              "%s: there is no VirtualMachineImage/%s. kubectl get qvmi lists those that there are."
                  .formatted(drive.title(), name)));
    }
    return Optional.of(
        readiness(image)
            .filter(ready -> "False".equals(ready.getStatus()))
            .map(
                ready ->
                    Verdict.no(
                        DisksReady.IMAGE_NOT_READY,
                        "%s: VirtualMachineImage/%s is not ready: %s"
                            .formatted(drive.title(), name, ready.getMessage())))
            .orElseGet(
                () ->
                    Verdict.no(
                        DisksReady.RESOLVING_IMAGE,
                        ("%s: the sources of VirtualMachineImage/%s are being looked up. If it stays"
                                + " so, no operator of the cluster has the chart's images.manage.")
                            .formatted(drive.title(), name))));
  }

  private static DiskNotes notes(MachineInputs in, Drive drive) {
    return switch (drive) {
      case Drive.Hard(Disk disk) -> notes(in, disk);
      case Drive.Optical medium -> DiskNotes.NONE;
    };
  }

  /** What is known of a disk on a claim; of others nothing lasts. */
  static DiskNotes notes(MachineInputs in, Disk disk) {
    if (!disk.storage().isClaimed()) {
      return DiskNotes.NONE;
    }
    DiskNotes before = Volumes.claim(in, disk).map(DiskNotes::on).orElse(DiskNotes.NONE);
    boolean fetched =
        in.pod().filter(pod -> pod.isRunning() && pod.hasFetched(disk.name())).isPresent();
    return new DiskNotes(
        missing(in).contains(disk.name())
            ? Optional.empty()
            : before.image().or(() -> Optional.of(nameOf(disk.source())).filter(name -> fetched)),
        openedBase(in, disk).or(before::digest),
        isSelfContained(in, disk),
        before.made() || opened(in, disk).isPresent());
  }

  /** By the file that QEMU has opened below the disk: what was fetched may have been another. */
  private static Optional<String> openedBase(MachineInputs in, Disk disk) {
    return opened(in, disk).map(DiskImage::base);
  }

  /** What QEMU says of a disk now. */
  static Optional<DiskImage> opened(MachineInputs in, Disk disk) {
    return in.answers().map(answers -> answers.disks().get(disk.name())).filter(DiskImage::isKnown);
  }

  /** The digest of the base image that a disk was made from, if that is known. */
  static Optional<String> digest(MachineInputs in, Disk disk) {
    return openedBase(in, disk)
        .or(() -> notes(in, disk).digest())
        .or(() -> fetchedDigest(in, disk.name()));
  }

  /** The digest of what this pod has fetched for a disk or a CD-ROM drive. */
  static Optional<String> fetchedDigest(MachineInputs in, String name) {
    return in.pod()
        .flatMap(pod -> pod.fetched(name))
        .flatMap(end -> EventLog.parse(end.getMessage()).baseImageDigest());
  }

  /** What can be done where the sources of a base image serve another one. */
  static Optional<String> remedyOfMismatch(MachineInputs in, Drive drive) {
    if (notes(in, drive).digest().isPresent()) {
      return Optional.of("The disk was made from the required one, and no other would do");
    }
    return Optional.ofNullable(drive.source().image())
        .map(
            name ->
                "To take what is published now: kubectl annotate --overwrite qvmi %s %s=$(date -Is)"
                    .formatted(name, Annotations.REFRESH_REQUESTED_AT));
  }

  /** One that was made before this VM may have a base image, whatever its source says. */
  static boolean canBeBacked(Disk disk) {
    return disk.source().blank() == null || disk.storage().existing().isPresent();
  }

  /** Whether a disk on a claim holds all of its base image: as QEMU says, or said last. */
  static boolean isSelfContained(MachineInputs in, Disk disk) {
    Optional<PersistentVolumeClaim> claim = Volumes.claim(in, disk);
    if (!canBeBacked(disk) || claim.isEmpty()) {
      return false;
    }
    return opened(in, disk)
        .map(image -> !image.backed())
        .orElseGet(
            () -> DiskNotes.on(claim.get()).selfContained() && !missing(in).contains(disk.name()));
  }

  /** Where an image comes from, as status and claims tell it; empty: nowhere. */
  static String nameOf(Disk.Source source) {
    return Stream.of(
            Optional.ofNullable(source.image()),
            Optional.ofNullable(source.http()).map(Disk.Http::url),
            Optional.ofNullable(source.containerImage()).map(Disk.ContainerImage::image),
            Optional.ofNullable(source.claim()).map(BaseImages::place).map(FilePlace::title))
        .flatMap(Optional::stream)
        .findFirst()
        .orElse("");
  }

  /** Disks and CD-ROM drives for which this pod's wrapper has found no image on its node. */
  static List<String> missing(MachineInputs in) {
    return failed(in, "BaseImageMissing");
  }

  /** Disks and CD-ROM drives of which this pod's wrapper has said so. */
  static List<String> failed(MachineInputs in, String reason) {
    return in.pod().stream()
        .filter(pod -> !pod.isRunning())
        .flatMap(pod -> pod.lastTermination().stream())
        .flatMap(ended -> Stream.ofNullable(ended.getMessage()))
        .flatMap(message -> EventLog.parse(message).wrapperFailure().stream())
        .filter(failure -> failure.reason().equals(reason))
        .map(failure -> failure.disk())
        .toList();
  }
}
