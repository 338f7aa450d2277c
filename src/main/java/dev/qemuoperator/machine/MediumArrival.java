package dev.qemuoperator.machine;

import dev.qemuoperator.api.Cdrom;
import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.pod.ImageOrigin;
import dev.qemuoperator.pod.MediumPod;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodFacts.FetchProblem;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How far a medium has come to the node of a guest that runs.
 *
 * @param fetch where it comes from; empty if that is not known
 * @param digest of its file in the node's cache, where a pod holds it; empty before
 * @param obstacle what is missing; empty if it is there and can be used
 */
record MediumArrival(
    Optional<ImageOrigin> fetch, Optional<String> digest, Optional<Obstacle> obstacle) {

  static final String FETCHING = "FetchingMedium";
  static final String UNAVAILABLE = "MediumUnavailable";

  /**
   * @param cdrom with a source
   * @param refusedPods what the API server had against a pod that fetches a medium, by its name
   */
  static MediumArrival of(MachineInputs in, Cdrom cdrom, Map<String, String> refusedPods) {
    Drive drive = new Drive.Optical(cdrom);
    Optional<ImageOrigin> fetch = BaseImages.origin(in, drive);
    Optional<PodFacts> pod = fetch.flatMap(origin -> podOf(in, cdrom.name(), origin));
    Optional<EventLog> told =
        pod.filter(PodFacts::isHolding)
            .flatMap(holding -> holding.fetched(cdrom.name()))
            .map(ContainerStateTerminated::getMessage)
            .map(EventLog::parse)
            .filter(log -> log.baseImageDigest().filter(MediumArrival::isDigest).isPresent());
    Optional<Obstacle> obstacle =
        BaseImages.lack(in, drive)
            .map(MediumArrival::ofImage)
            .or(
                () ->
                    fetch.flatMap(
                        origin -> refusal(podName(in, cdrom.name(), origin), refusedPods)))
            .or(() -> pod.flatMap(fetching -> problem(in, drive, fetching)))
            .or(() -> told.isPresent() ? noIso(told.get()) : Optional.of(fetching(in, cdrom, pod)));
    return new MediumArrival(fetch, told.flatMap(EventLog::baseImageDigest), obstacle);
  }

  private static boolean isDigest(String text) {
    return text.matches("sha256:[0-9a-f]{64}");
  }

  private static Obstacle ofImage(Verdict lack) {
    return lack.reason().equals(DisksReady.RESOLVING_IMAGE)
        ? new Obstacle(FETCHING, lack.message())
        : unavailable(lack.message());
  }

  private static Optional<Obstacle> refusal(String pod, Map<String, String> refusedPods) {
    return Optional.ofNullable(refusedPods.get(pod))
        .map(
            why ->
                unavailable(
                    "The API server refused the pod that fetches it: %s. It is tried again every few minutes."
                        .formatted(why)));
  }

  /** The name of the pod that fetches what comes from there. */
  private static String podName(MachineInputs in, String cdrom, ImageOrigin origin) {
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
    String sentence = why.endsWith(".") ? why : why + ".";
    return new Obstacle(UNAVAILABLE, sentence + " Until then the drive keeps what is in it.");
  }

  private static Optional<Obstacle> problem(MachineInputs in, Drive drive, PodFacts pod) {
    return Stream.concat(
            pod.runnerPullProblem().stream().map(MediumArrival::words),
            pod.fetchProblem().stream().map(problem -> words(in, drive, pod, problem)))
        .map(MediumArrival::unavailable)
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
}
