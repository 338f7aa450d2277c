package dev.qemuoperator.machine;

import dev.qemuoperator.api.Cdrom;
import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.pod.Hash;
import dev.qemuoperator.pod.ImageOrigin;
import dev.qemuoperator.pod.MediumPod;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodFacts.FetchProblem;
import dev.qemuoperator.qmp.CdromDrive;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.qmp.Medium;
import dev.qemuoperator.qmp.Observation;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

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

  static final String FETCHING = "FetchingMedium";
  static final String UNAVAILABLE = "MediumUnavailable";
  static final String LOCKED = "TrayLocked";

  /** Reasons for which somebody may have to act. */
  static final Set<String> PROBLEMS = Set.of(UNAVAILABLE, LOCKED, Obstacle.QEMU_REFUSED);

  private static final String OLD_STAYS = " Until then the drive keeps what is in it.";

  /**
   * @param refusedPods what the API server had against a pod that fetches a medium, by its name
   */
  static List<MediumChange> of(MachineInputs in, Map<String, String> refusedPods) {
    return in.spec().cdroms().stream()
        .filter(cdrom -> in.guestRunsOn() && isLive(in, cdrom))
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
                    : insertion(in, cdrom, has, refusedPods));
  }

  /** What QEMU says of the drives of a guest that runs. */
  static Optional<Map<String, CdromDrive>> drives(MachineInputs in) {
    return in.qmp()
        .map(Observation::answers)
        .filter(answers -> in.pod().filter(PodFacts::isRunning).isPresent())
        .map(answers -> answers.cdroms());
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

  // ---- what has to come first

  private static MediumChange insertion(
      MachineInputs in, Cdrom cdrom, CdromDrive has, Map<String, String> refusedPods) {
    Drive drive = new Drive.Optical(cdrom);
    Optional<ImageOrigin> fetch = BaseImages.origin(in, drive);
    Optional<PodFacts> pod = fetch.flatMap(origin -> podOf(in, cdrom.name(), origin));
    Optional<ContainerStateTerminated> fetched =
        pod.filter(PodFacts::isHolding).flatMap(holding -> holding.fetched(cdrom.name()));
    EventLog told = EventLog.parse(fetched.map(end -> end.getMessage()).orElse(null));
    Optional<Obstacle> obstacle =
        BaseImages.lack(in, drive)
            .map(
                lack ->
                    lack.reason().equals(DisksReady.RESOLVING_IMAGE)
                        ? new Obstacle(FETCHING, lack.message())
                        : unavailable(lack.message()))
            .or(
                () ->
                    fetch
                        .map(origin -> podName(in, cdrom.name(), origin))
                        .map(refusedPods::get)
                        .map(
                            why ->
                                unavailable(
                                    "The API server refused the pod that fetches it: %s. It is tried again every few minutes."
                                        .formatted(why))))
            .or(() -> pod.flatMap(fetching -> problem(in, drive, fetching)))
            .or(() -> fetched.isPresent() ? noIso(told) : Optional.of(fetching(in, cdrom, pod)))
            .or(() -> ofQemu(has));
    return new MediumChange(
        cdrom,
        has,
        fetch,
        told.baseImageDigest().map(digest -> new Medium(node(cdrom), digest)),
        obstacle);
  }

  /** The name of the pod that fetches what comes from there. */
  static String podName(MachineInputs in, String cdrom, ImageOrigin origin) {
    String node = in.pod().flatMap(PodFacts::nodeName).orElse("");
    return MediumPod.name(in.identity(), cdrom, node, origin);
  }

  private static Optional<PodFacts> podOf(MachineInputs in, String cdrom, ImageOrigin origin) {
    String name = podName(in, cdrom, origin);
    return in.mediumPods().stream()
        .filter(pod -> pod.pod().getMetadata().getName().equals(name))
        .filter(pod -> !pod.isDeleting())
        .findFirst();
  }

  private static Obstacle unavailable(String why) {
    return new Obstacle(UNAVAILABLE, (why.endsWith(".") ? why : why + ".") + OLD_STAYS);
  }

  private static Optional<Obstacle> problem(MachineInputs in, Drive drive, PodFacts pod) {
    return Stream.concat(
            pod.runnerPullProblem().stream().map(MediumChange::words),
            pod.fetchProblem().stream().map(problem -> words(in, drive, pod, problem)))
        .map(MediumChange::unavailable)
        .findFirst();
  }

  private static String words(ContainerStateWaiting runner) {
    return "%s: %s. Check the chart's value runner.image."
        .formatted(runner.getReason(), runner.getMessage());
  }

  private static String words(MachineInputs in, Drive drive, PodFacts pod, FetchProblem problem) {
    if (!problem.reason().isEmpty()) {
      return "%s: %s".formatted(problem.reason(), problem.message());
    }
    return EventLog.parse(problem.message())
        .wrapperFailure()
        .map(
            failure ->
                failure.reason()
                    + ": "
                    + failure.message()
                    + Optional.of(failure.reason())
                        .filter("ChecksumMismatch"::equals)
                        .flatMap(mismatch -> BaseImages.remedyOfMismatch(in, drive))
                        .map(". "::concat)
                        .orElse(""))
        .orElseGet(
            () ->
                "It could not be fetched, see kubectl logs %s -c image-%s"
                    .formatted(pod.pod().getMetadata().getName(), drive.name()));
  }

  private static Obstacle fetching(MachineInputs in, Cdrom cdrom, Optional<PodFacts> pod) {
    return new Obstacle(
        FETCHING,
        "It is being brought to node %s%s.%s"
            .formatted(
                in.pod().flatMap(PodFacts::nodeName).orElse(""),
                Optional.ofNullable(in.fetched().get(cdrom.name())).map(": "::concat).orElse(""),
                pod.map(
                        fetching ->
                            " See kubectl logs %s -c image-%s"
                                .formatted(fetching.pod().getMetadata().getName(), cdrom.name()))
                    .orElse("")));
  }

  private static Optional<Obstacle> noIso(EventLog told) {
    return told.baseImageFormat()
        .filter(format -> !format.equals("raw"))
        .map(
            format ->
                unavailable(
                    "ImageRefused: it has the format '%s', but only an ISO image can be in a CD-ROM drive"
                        .formatted(format)));
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
