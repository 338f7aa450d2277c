package dev.qemuoperator.machine;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.ImageConditions;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.pod.ImageOrigin;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.VmObjects.DiskNotes;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.qmp.Observation;
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
 * The base images that the next pod needs on its node.
 *
 * @param fetch by disk, where its base image has to come from first
 * @param awaited why there can be no such pod yet
 */
record BaseImages(Map<String, ImageOrigin> fetch, Optional<Verdict> awaited) {

  static BaseImages of(MachineInputs in) {
    Map<String, ImageOrigin> fetch = new TreeMap<>();
    Optional<Verdict> awaited = Optional.empty();
    for (Disk disk : in.spec().disks()) {
      if (mustCome(in, disk)) {
        origin(in, disk).ifPresent(origin -> fetch.put(disk.name(), origin));
        awaited = awaited.or(() -> lack(in, disk));
      }
    }
    return new BaseImages(fetch, awaited);
  }

  /**
   * A base image is fetched by every pod of an ephemeral disk, and by pods of a claim until it is
   * known to have come. If QEMU's wrapper finds it missing all the same, because the pod went to
   * another node, it says so and the next pod fetches it again.
   */
  private static boolean mustCome(MachineInputs in, Disk disk) {
    return disk.source().blank() == null && notes(in, disk).image().isEmpty();
  }

  /** Where the base image of a disk comes from; empty if its VirtualMachineImage does not know. */
  private static Optional<ImageOrigin> origin(MachineInputs in, Disk disk) {
    Disk.Source source = disk.source();
    // of a disk that has lost its base: no other would do
    Optional<String> digest = notes(in, disk).digest();
    if (source.http() != null) {
      return Optional.of(
          new ImageOrigin.Urls(
              List.of(source.http().url()), digest.orElse(source.http().checksum()), ""));
    }
    if (source.containerImage() != null) {
      return Optional.of(
          new ImageOrigin.ContainerImage(source.containerImage().image(), digest.orElse("")));
    }
    return resolved(in, disk)
        .map(
            image ->
                ImageOrigin.of(
                    image.getSpec(),
                    image.getStatus().source(),
                    digest.orElse(Objects.toString(image.getStatus().digest(), ""))));
  }

  private static Optional<VirtualMachineImage> resolved(MachineInputs in, Disk disk) {
    return Optional.ofNullable(in.images().get(disk.source().image()))
        .filter(image -> image.getStatus() != null && image.getStatus().source() != null)
        .filter(image -> readiness(image).filter(c -> "True".equals(c.getStatus())).isPresent());
  }

  private static Optional<Condition> readiness(VirtualMachineImage image) {
    return Optional.ofNullable(image.getStatus())
        // of an earlier spec it says nothing
        .filter(
            status ->
                Objects.equals(status.observedGeneration(), image.getMetadata().getGeneration()))
        .flatMap(status -> ConditionList.find(status.conditions(), ImageConditions.Ready.TYPE));
  }

  private static Optional<Verdict> lack(MachineInputs in, Disk disk) {
    String name = disk.source().image();
    if (name == null || resolved(in, disk).isPresent()) {
      return Optional.empty();
    }
    VirtualMachineImage image = in.images().get(name);
    if (image == null) {
      return Optional.of(
          Verdict.no(
              DisksReady.IMAGE_NOT_FOUND,
              "Disk %s: there is no VirtualMachineImage/%s. kubectl get qvmi lists those that there are."
                  .formatted(disk.name(), name)));
    }
    return Optional.of(
        readiness(image)
            .filter(ready -> "False".equals(ready.getStatus()))
            .map(
                ready ->
                    Verdict.no(
                        DisksReady.IMAGE_NOT_READY,
                        "Disk %s: VirtualMachineImage/%s is not ready: %s"
                            .formatted(disk.name(), name, ready.getMessage())))
            .orElseGet(
                () ->
                    Verdict.no(
                        DisksReady.RESOLVING_IMAGE,
                        ("Disk %s: the sources of VirtualMachineImage/%s are being looked up. If it stays"
                                + " so, no operator of the cluster has the chart's images.manage.")
                            .formatted(disk.name(), name))));
  }

  /** What is known of a disk on a claim; of others nothing lasts. */
  static DiskNotes notes(MachineInputs in, Disk disk) {
    if (disk.storage().claim() == null) {
      return DiskNotes.NONE;
    }
    DiskNotes before = claim(in, disk).map(DiskNotes::on).orElse(DiskNotes.NONE);
    boolean fetched =
        in.pod().filter(pod -> pod.isRunning() && pod.hasFetched(disk.name())).isPresent();
    return new DiskNotes(
        missing(in).contains(disk.name())
            ? Optional.empty()
            : before.image().or(() -> Optional.of(nameOf(disk)).filter(name -> fetched)),
        openedBase(in, disk).or(before::digest),
        isSelfContained(in, disk));
  }

  /** By the file that QEMU has opened below the disk: what was fetched may have been another. */
  private static Optional<String> openedBase(MachineInputs in, Disk disk) {
    return opened(in, disk).map(DiskImage::base);
  }

  /** What QEMU says of a disk now. */
  static Optional<DiskImage> opened(MachineInputs in, Disk disk) {
    return in.qmp()
        .filter(qmp -> in.pod().filter(PodFacts::isRunning).isPresent())
        .map(Observation::answers)
        .map(answers -> answers.disks().get(disk.name()));
  }

  /** The digest of the base image that a disk was made from, if that is known. */
  static Optional<String> digest(MachineInputs in, Disk disk) {
    return openedBase(in, disk)
        .or(() -> notes(in, disk).digest())
        .or(
            () ->
                in.pod()
                    .flatMap(pod -> pod.fetched(disk.name()))
                    .flatMap(end -> EventLog.parse(end.getMessage()).baseImageDigest()));
  }

  /** What can be done where the sources of a base image serve another one. */
  static Optional<String> remedyOfMismatch(MachineInputs in, Disk disk) {
    if (notes(in, disk).digest().isPresent()) {
      return Optional.of("The disk was made from the required one, and no other would do");
    }
    return Optional.ofNullable(disk.source().image())
        .map(
            name ->
                "To take what is published now: kubectl annotate --overwrite qvmi %s %s=$(date -Is)"
                    .formatted(name, Annotations.REFRESH_REQUESTED_AT));
  }

  static Optional<PersistentVolumeClaim> claim(MachineInputs in, Disk disk) {
    return Optional.ofNullable(in.claims().get(in.identity().claimOf(disk.name())));
  }

  /** Whether a disk on a claim holds all of its base image: as QEMU says, or said last. */
  static boolean isSelfContained(MachineInputs in, Disk disk) {
    Optional<PersistentVolumeClaim> claim = claim(in, disk);
    if (disk.source().blank() != null || claim.isEmpty()) {
      return false;
    }
    return opened(in, disk)
        .map(image -> !image.backed())
        .orElseGet(
            () -> DiskNotes.on(claim.get()).selfContained() && !missing(in).contains(disk.name()));
  }

  /** Where the base image of a disk comes from, as status and claims tell it; empty: nowhere. */
  static String nameOf(Disk disk) {
    return Stream.of(
            Optional.ofNullable(disk.source().image()),
            Optional.ofNullable(disk.source().http()).map(Disk.Http::url),
            Optional.ofNullable(disk.source().containerImage()).map(Disk.ContainerImage::image))
        .flatMap(Optional::stream)
        .findFirst()
        .orElse("");
  }

  /** Disks for which this pod's wrapper has found no base image on its node. */
  static List<String> missing(MachineInputs in) {
    return in.pod().stream()
        .filter(pod -> !pod.isRunning())
        .flatMap(pod -> pod.lastTermination().stream())
        .flatMap(ended -> Stream.ofNullable(ended.getMessage()))
        .flatMap(message -> EventLog.parse(message).wrapperFailure().stream())
        .filter(failure -> failure.reason().equals("BaseImageMissing"))
        .map(failure -> failure.disk())
        .toList();
  }
}
