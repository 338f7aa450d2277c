package dev.qemuoperator.machine;

import dev.qemuoperator.api.Cdrom;
import dev.qemuoperator.pod.Hash;
import dev.qemuoperator.pod.ImageOrigin;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qmp.CdromDrive;
import dev.qemuoperator.qmp.Medium;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A CD-ROM drive of a running guest in which is something else than its spec says. What is in it is
 * read from QEMU each time, never remembered: the name of a medium's block node has a hash of the
 * source that it was put in for.
 *
 * @param has what is in it
 * @param fetch where what the spec says comes from; empty if the drive is to be empty, or if that
 *     is not known
 * @param medium what the spec says, once it is on the node; empty before, and if the drive is to be
 *     empty
 * @param obstacle why it is not changed now; empty if it can be
 */
record MediumChange(
    Cdrom cdrom,
    CdromDrive has,
    Optional<ImageOrigin> fetch,
    Optional<Medium> medium,
    Optional<Obstacle> obstacle) {

  static final String LOCKED = "TrayLocked";

  /** Reasons for which somebody may have to act. */
  static final Set<String> PROBLEMS =
      Set.of(MediumArrival.UNAVAILABLE, LOCKED, Obstacle.QEMU_REFUSED);

  /**
   * @param refusedPods what the API server had against a pod that fetches a medium, by its name
   */
  static List<MediumChange> of(MachineInputs in, Map<String, String> refusedPods) {
    return in.spec().cdroms().stream()
        .filter(cdrom -> in.guestRunsOn() && isLive(in, cdrom) && !in.pod().get().isDeleting())
        .flatMap(cdrom -> of(in, cdrom, refusedPods).stream())
        .toList();
  }

  /** Whether a guest of this pod has this drive: what is in it then is QEMU's to tell. */
  static boolean isLive(MachineInputs in, Cdrom cdrom) {
    return in.pod().filter(PodFacts::hasStarted).isPresent()
        && podFields(in).containsKey(field(cdrom.name()) + ".name");
  }

  /** Whether another start in this pod would bring back a medium that the spec says no more. */
  static boolean isOfAnOlderSpec(MachineInputs in) {
    return in.spec().cdroms().stream()
        .filter(cdrom -> isLive(in, cdrom))
        .anyMatch(cdrom -> !identity(cdrom).equals(podIdentity(in, cdrom.name())));
  }

  static String field(String cdrom) {
    return "spec.cdroms[" + cdrom + "]";
  }

  private static Optional<MediumChange> of(
      MachineInputs in, Cdrom cdrom, Map<String, String> refusedPods) {
    return drives(in)
        .map(drives -> drives.get(cdrom.name()))
        .filter(has -> !isThere(in, cdrom, has))
        .map(
            has ->
                cdrom.source() == null
                    ? new MediumChange(cdrom, has, Optional.empty(), Optional.empty(), ofQemu(has))
                    : insertion(cdrom, has, MediumArrival.of(in, cdrom, refusedPods)));
  }

  private static MediumChange insertion(Cdrom cdrom, CdromDrive has, MediumArrival arrival) {
    return new MediumChange(
        cdrom,
        has,
        arrival.fetch(),
        arrival.digest().map(digest -> new Medium(node(cdrom), digest)),
        arrival.obstacle().or(() -> ofQemu(has)));
  }

  /** What QEMU says of the drives of a guest that runs. */
  static Optional<Map<String, CdromDrive>> drives(MachineInputs in) {
    return in.answers().map(answers -> answers.cdroms());
  }

  private static boolean isThere(MachineInputs in, Cdrom cdrom, CdromDrive has) {
    if (cdrom.source() == null || has.medium() == null) {
      return cdrom.source() == null && has.medium() == null;
    }
    return has.medium().equals(node(cdrom))
        || (isOfPod(cdrom.name(), has) && identity(cdrom).equals(podIdentity(in, cdrom.name())));
  }

  /** Whether it is what the pod was made with. */
  private static boolean isOfPod(String cdrom, CdromDrive has) {
    return has.medium().equals("cdrom-" + cdrom);
  }

  /**
   * Another file behind the same name does not change the medium of a running guest, and the same
   * file behind another URL is no other medium.
   */
  private static String identity(Cdrom cdrom) {
    if (cdrom.source() == null) {
      return "";
    }
    return cdrom.source().image() != null
        ? cdrom.source().image()
        : cdrom.source().http().checksum();
  }

  private static String podIdentity(MachineInputs in, String cdrom) {
    return podField(in, cdrom, "image").or(() -> podField(in, cdrom, "http.checksum")).orElse("");
  }

  /** The block node of what the spec says. */
  static String node(Cdrom cdrom) {
    return Medium.PREFIX + Hash.of(List.of(cdrom.name(), identity(cdrom)));
  }

  /**
   * Where what is in a drive comes from, as the status tells it; empty if nobody knows any more,
   * since the spec says another source than the one that it was put in for.
   */
  static Optional<String> nameOf(MachineInputs in, String cdrom, CdromDrive has) {
    if (isOfPod(cdrom, has)) {
      return podField(in, cdrom, "image").or(() -> podField(in, cdrom, "http.url"));
    }
    return in.spec().cdroms().stream()
        .filter(wanted -> wanted.name().equals(cdrom) && wanted.source() != null)
        .filter(wanted -> has.medium().equals(node(wanted)))
        .map(MediumChange::nameOf)
        .findFirst();
  }

  private static String nameOf(Cdrom cdrom) {
    return BaseImages.nameOf(new Drive.Optical(cdrom).source());
  }

  private static Optional<String> podField(MachineInputs in, String cdrom, String field) {
    return Optional.ofNullable(podFields(in).get(field(cdrom) + ".source." + field));
  }

  private static Map<String, String> podFields(MachineInputs in) {
    return in.pod().<Map<String, String>>map(PodFacts::specFields).orElse(Map.of());
  }

  /** What is in the drive, for people. */
  String running(MachineInputs in) {
    return has.medium() == null ? null : nameOf(in, cdrom.name(), has).orElse(has.digest());
  }

  /** What the spec says, for people. */
  String desired() {
    return cdrom.source() == null ? null : nameOf(cdrom);
  }

  private static Optional<Obstacle> ofQemu(CdromDrive has) {
    if (has.locked()) {
      return Optional.of(
          new Obstacle(
              LOCKED,
              "The guest has locked the drive, as it does while it has the CD mounted, and was asked to"
                  + " eject it. Unmount or eject it in the guest; the medium is then changed at once."));
    }
    return Optional.ofNullable(has.refusal()).map(Obstacle::refusedByQemu);
  }
}
