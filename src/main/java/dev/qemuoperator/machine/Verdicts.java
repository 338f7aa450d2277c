package dev.qemuoperator.machine;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.Conditions.CloudInitCurrent;
import dev.qemuoperator.api.Conditions.DisksReady;
import dev.qemuoperator.api.Conditions.GuestReachable;
import dev.qemuoperator.api.Conditions.NetworkReady;
import dev.qemuoperator.api.Conditions.Ready;
import dev.qemuoperator.api.Conditions.RestartRequired;
import dev.qemuoperator.api.Conditions.Running;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.Network;
import dev.qemuoperator.api.ReadinessProbe;
import dev.qemuoperator.api.RunStrategy;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.api.VirtualMachineStatus.PendingChange;
import dev.qemuoperator.cloudinit.Seed;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodFacts.FetchProblem;
import dev.qemuoperator.pod.VmObjects;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.qmp.EventLog.WrapperFailure;
import dev.qemuoperator.qmp.GuestReport;
import dev.qemuoperator.qmp.IoError;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Answers;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.Shutdown;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The checks behind every condition. Each list reads as the specification: the first check that has
 * something to say decides.
 */
record Verdicts(
    MachineInputs in,
    MachineDecision decision,
    Optional<Verdict> refused,
    List<PendingChange> pendingChanges,
    Optional<LastExit> lastExit) {

  private static final List<Function<Verdicts, Optional<Verdict>>> RUNNING =
      List.of(
          Verdicts::nodeLost,
          Verdicts::nodeNotReady,
          Verdicts::stopping,
          Verdicts::halted,
          Verdicts::ranAndStaysSo,
          Verdicts::suspendedSoNotStarted,
          Verdicts::refusedSoNotStarted,
          Verdicts::waitsForImage,
          Verdicts::waitsForNetwork,
          Verdicts::waitsForPod,
          Verdicts::podOver,
          Verdicts::noNodeFits,
          Verdicts::runnerImageMissing,
          Verdicts::waitsForBaseImages,
          Verdicts::replacedForItsBaseImage,
          Verdicts::restarting,
          Verdicts::containerStarts,
          Verdicts::qemuHasEnded,
          Verdicts::qemuIsBeingStarted,
          Verdicts::qemuDoesNotAnswer,
          Verdicts::cpusStopped,
          Verdicts::cpusRun);

  private static final List<Function<Verdicts, Optional<Verdict>>> DISKS_READY =
      List.of(
          Verdicts::claimLost,
          Verdicts::awaited,
          Verdicts::noPodAskedForDisks,
          Verdicts::claimPending,
          Verdicts::volumeNotMounted,
          Verdicts::baseImageFailed,
          Verdicts::baseImageMissing,
          Verdicts::diskFailed,
          Verdicts::baseImageComes,
          Verdicts::diskFoundCorrupt,
          Verdicts::disksThere);

  private static Verdict first(List<Function<Verdicts, Optional<Verdict>>> checks, Verdicts facts) {
    return checks.stream()
        .flatMap(check -> check.apply(facts).stream())
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the last check always decides"));
  }

  Verdict accepted() {
    return in.isSuspended()
        ? Verdict.yes(
            Accepted.SUSPENDED,
            "Nothing is changed while the annotation %s is disabled."
                .formatted(Annotations.RECONCILE))
        : refused.orElse(decision.accepted());
  }

  Verdict running() {
    return first(RUNNING, this);
  }

  Verdict disksReady() {
    return first(DISKS_READY, this);
  }

  // ---- Running

  private Optional<Verdict> nodeLost() {
    String name = in.identity().name();
    return pod()
        .filter(pod -> pod.isLost() && !isConnected())
        .map(
            pod ->
                Verdict.unknown(
                    Running.NODE_LOST,
                    ("Node %s does not answer, so nobody knows whether the guest still runs there."
                            + " If the node is off for good: kubectl delete pod %s --force")
                        .formatted(pod.nodeName().orElse(""), name)));
  }

  private Optional<Verdict> nodeNotReady() {
    return pod()
        .filter(pod -> pod.isNodeSilent() && !isConnected())
        .map(
            pod ->
                Verdict.unknown(
                    Running.NODE_NOT_READY,
                    ("Node %s does not report to Kubernetes, and QEMU's monitor does not answer, so"
                            + " nobody knows whether the guest runs. See kubectl describe node %s")
                        .formatted(pod.nodeName().orElse(""), pod.nodeName().orElse(""))));
  }

  private boolean isConnected() {
    return in.qmp().filter(Observation::isConnected).isPresent();
  }

  private Optional<Verdict> stopping() {
    return in.pod()
        .filter(
            pod ->
                pod.isDeleting()
                    || (wantsHalt() && !pod.isOver() && !in.isSuspended())
                    || in.isRestartRequested(pod) && !in.isSuspended() && decision.canReplace())
        .map(
            pod ->
                Verdict.no(
                    Running.STOPPING,
                    presses() > 1
                        ? "The guest did not answer its power button, which was pressed again; its"
                            + " process ends within %d s of the first press.".formatted(grace())
                        : "The guest was asked to power off; it has %d s until its process is killed."
                            .formatted(grace())));
  }

  private int presses() {
    return in.qmp().map(qmp -> qmp.heard().powerButtons()).orElse(0);
  }

  private int grace() {
    return in.spec().terminationGracePeriodSeconds();
  }

  private Optional<Verdict> halted() {
    return Optional.of(Verdict.no(Running.HALTED, "Powered off, as spec.runStrategy says."))
        .filter(verdict -> wantsHalt() && (in.pod().isEmpty() || !in.isSuspended()));
  }

  /** Of RerunOnFailure and Once: as soon as the process has ended, with its pod and without it. */
  private Optional<Verdict> ranAndStaysSo() {
    boolean staysSo =
        in.pod()
            .filter(pod -> !pod.isOver())
            .map(
                pod -> !isAlive(pod) && !wasAskedToEnd(pod) && MachineDecision.endsForGood(in, pod))
            .orElse(decision.done().isPresent());
    if (!staysSo) {
      return Optional.empty();
    }
    boolean poweredOff =
        in.pod()
            .filter(PodFacts::isOver)
            .map(PodFacts::hasSucceeded)
            .orElseGet(
                () ->
                    in.spec().runStrategy() == RunStrategy.RERUN_ON_FAILURE
                        || lastExit
                            .filter(exit -> exit.cause().equals("GuestShutdown"))
                            .isPresent());
    String why = lastExit.map(LastExit::message).orElse("The process ended.");
    String again =
        " spec.runStrategy %s leaves it so; to run it again: kubectl annotate --overwrite qvm %s %s=$(date -Is)"
            .formatted(
                in.spec().runStrategy() == RunStrategy.ONCE ? "Once" : "RerunOnFailure",
                in.identity().name(),
                Annotations.RESTART_REQUESTED_AT);
    return Optional.of(Verdict.no(poweredOff ? Running.STOPPED : Running.FAILED, why + again));
  }

  /** Perhaps by an eviction: who pressed the power button is known when the pod tells its end. */
  private boolean wasAskedToEnd(PodFacts pod) {
    return pod.isRunning() && presses() > 0;
  }

  /** QEMU hangs up when it ends, a moment before the kubelet knows. */
  private boolean isAlive(PodFacts pod) {
    return pod.isRunning() && (isConnected() || heardEnd().isEmpty());
  }

  private Optional<Shutdown> heardEnd() {
    return in.qmp().map(Observation::heard).map(Heard::shutdown);
  }

  private Optional<Verdict> suspendedSoNotStarted() {
    return Optional.of(Verdict.no(Running.SUSPENDED, accepted().message()))
        .filter(verdict -> in.isSuspended() && in.pod().isEmpty());
  }

  private Optional<Verdict> refusedSoNotStarted() {
    return Optional.of(accepted())
        .filter(accepted -> !accepted.isTrue() && in.pod().isEmpty())
        .map(accepted -> Verdict.no(Running.NOT_ACCEPTED, accepted.message()));
  }

  private Optional<Verdict> waitsForImage() {
    return awaited()
        .filter(awaited -> in.pod().filter(PodFacts::isRunning).isEmpty())
        .map(awaited -> Verdict.no(Running.STARTING, "Waiting for disks: " + awaited.message()));
  }

  private Optional<Verdict> waitsForNetwork() {
    return networkAwaited()
        .filter(awaited -> in.pod().filter(PodFacts::isRunning).isEmpty())
        .map(awaited -> Verdict.no(Running.STARTING, "Waiting for networks: " + awaited.message()));
  }

  private Optional<Verdict> waitsForPod() {
    return Optional.of(Verdict.no(Running.STARTING, "The pod is being made."))
        .filter(verdict -> in.pod().isEmpty());
  }

  private Optional<Verdict> podOver() {
    return pod()
        .filter(PodFacts::isOver)
        .map(
            pod ->
                pod.fetchProblem().isPresent() || diskFailed().isPresent()
                    ? Verdict.no(Running.STARTING, "Waiting for disks: " + disksReady().message())
                    : Verdict.no(
                        Running.POD_LOST,
                        pod.overBecause()
                            + " A new pod follows, %d s after this one was made at the earliest."
                                .formatted(MachineDecision.REST.toSeconds())));
  }

  private Optional<Verdict> noNodeFits() {
    return pod()
        .flatMap(PodFacts::unschedulable)
        .map(why -> Verdict.no(Running.UNSCHEDULABLE, why + onLansAlone()));
  }

  private String onLansAlone() {
    return decision
        .lans()
        .places()
        .nodes()
        .filter(nodes -> !nodes.isEmpty())
        .map(nodes -> " Its networks are on these nodes alone: " + String.join(", ", nodes) + ".")
        .orElse("");
  }

  private Optional<Verdict> runnerImageMissing() {
    return pod()
        .flatMap(PodFacts::runnerPullProblem)
        .map(
            waiting ->
                Verdict.no(
                    Running.RUNNER_IMAGE,
                    "%s: %s. Check the chart's value runner.image."
                        .formatted(waiting.getReason(), text(waiting.getMessage()))));
  }

  private Optional<Verdict> waitsForBaseImages() {
    return pod()
        .filter(pod -> !pod.hasStarted() && !disksReady().isTrue())
        .map(pod -> Verdict.no(Running.STARTING, "Waiting for disks: " + disksReady().message()));
  }

  private Optional<Verdict> replacedForItsBaseImage() {
    return baseImageMissing().map(missing -> Verdict.no(Running.RESTARTING, missing.message()));
  }

  private Optional<Verdict> restarting() {
    return pod()
        .filter(pod -> !pod.isRunning())
        .flatMap(PodFacts::lastTermination)
        .map(
            ended ->
                Verdict.no(
                    Running.RESTARTING,
                    lastExit.map(LastExit::message).orElse("The process ended.")
                        + pod()
                            .flatMap(PodFacts::waiting)
                            .filter(waiting -> "CrashLoopBackOff".equals(waiting.getReason()))
                            .map(waiting -> " Restart after a pause: " + waiting.getMessage())
                            .orElse(" It is started again.")));
  }

  private Optional<Verdict> containerStarts() {
    return pod()
        .filter(pod -> !pod.isRunning())
        .map(
            pod ->
                Verdict.no(
                    Running.STARTING,
                    pod.waiting()
                        .map(w -> Stream.of(w.getReason(), w.getMessage()))
                        .orElse(Stream.of("The pod is scheduled."))
                        .filter(Objects::nonNull)
                        .reduce((a, b) -> a + ": " + b)
                        .orElse("")));
  }

  /** QEMU has said why it ends and has hung up; the kubelet follows a moment later. */
  private Optional<Verdict> qemuHasEnded() {
    return heardEnd()
        .filter(end -> !isConnected())
        .map(
            end ->
                Verdict.no(
                    Running.RESTARTING,
                    lastExit.map(LastExit::message).orElse("The process ended.")
                        + " It is started again."));
  }

  private Optional<Verdict> qemuIsBeingStarted() {
    return Optional.of(
            Verdict.unknown(
                Running.STARTING, "The process has started; QEMU has not been asked yet."))
        .filter(verdict -> channel() == Channel.CONNECTING)
        .filter(verdict -> in.qmp().map(Observation::problem).isEmpty());
  }

  private Channel channel() {
    return in.qmp().map(Observation::channel).orElse(Channel.CONNECTING);
  }

  private Optional<Verdict> qemuDoesNotAnswer() {
    if (channel() == Channel.CONNECTED) {
      return Optional.empty();
    }
    String problem = in.qmp().map(Observation::problem).map(text -> " (" + text + ")").orElse("");
    return Optional.of(
        Verdict.unknown(
            Running.QMP_UNREACHABLE,
            channel() == Channel.LOST
                ? "The connection to QEMU's monitor is lost, so nobody knows; it is tried again"
                    + problem
                    + "."
                : "The process has started, but QEMU's monitor does not answer" + problem + "."));
  }

  private Optional<Verdict> cpusStopped() {
    String state = in.qmp().map(Observation::answers).map(Answers::runState).orElse("unknown");
    return Optional.of(
            Verdict.no(
                switch (state) {
                  case "prelaunch" -> Running.STARTING;
                  case "shutdown" -> Running.RESTARTING;
                  case "guest-panicked" -> Running.GUEST_PANICKED;
                  case "io-error" -> isFull() ? Running.DISK_FULL : Running.IO_ERROR;
                  default -> Running.PAUSED;
                },
                switch (state) {
                  case "paused" ->
                      Boolean.TRUE.equals(in.spec().paused())
                          ? "spec.paused stops the guest's CPUs; its memory is kept."
                          : "Somebody has paused the guest's CPUs (QMP command stop). The QMP command"
                              + " cont lets it go on.";
                  case "io-error" -> ioError();
                  case "guest-panicked" -> "The guest's kernel panicked; QEMU is about to end.";
                  case "prelaunch" -> "QEMU is set up and does not run the guest yet.";
                  case "shutdown" -> "The guest has powered off; QEMU is about to end.";
                  default -> "QEMU's run state is " + state + ".";
                }))
        .filter(verdict -> !state.equals("running"));
  }

  private Optional<IoError> failedDisk() {
    return in.qmp().map(Observation::heard).map(Heard::ioError);
  }

  private boolean isFull() {
    return failedDisk().filter(IoError::noSpace).isPresent();
  }

  private String ioError() {
    String disk =
        failedDisk()
            .map(error -> "Disk " + error.node().replaceFirst("^disk-", ""))
            .orElse("A disk");
    return isFull()
        ? disk
            + ": its volume is full, so the guest waits, and no write is lost. Make room on the"
            + " volume; the guest then goes on by itself within seconds."
        : "%s: the guest waits, and no write is lost, because it could not %s (%s). It is tried again every few seconds."
            .formatted(
                disk,
                failedDisk().map(IoError::operation).orElse("read or write"),
                failedDisk().map(IoError::reason).orElse("I/O error"));
  }

  private Optional<Verdict> cpusRun() {
    return Optional.of(Verdict.yes(Running.RUNNING, "QEMU runs the guest."));
  }

  // ---- DisksReady

  private Optional<Verdict> claimLost() {
    return claims("Lost")
        .map(
            claim ->
                Verdict.no(
                    DisksReady.CLAIM_LOST,
                    "PersistentVolumeClaim/%s has lost its volume. Restore the volume, or delete the"
                            .formatted(claim.getMetadata().getName())
                        + " claim to start with an empty disk."))
        .findFirst();
  }

  /** A pod that is there and may stay so does not need it. */
  private Optional<Verdict> awaited() {
    return decision
        .awaited()
        .filter(
            awaited ->
                (needsPod() || !BaseImages.missing(in).isEmpty()) && decision.wantsGuest(in));
  }

  private boolean needsPod() {
    return in.pod().isEmpty() || in.pod().filter(in::isRestartRequested).isPresent();
  }

  private Optional<Verdict> noPodAskedForDisks() {
    return Optional.of(Verdict.unknown(DisksReady.NOT_REQUESTED, "No pod needs them now."))
        .filter(verdict -> in.pod().isEmpty());
  }

  private Optional<Verdict> claimPending() {
    return claims("Pending")
        .filter(claim -> pod().filter(PodFacts::hasStarted).isEmpty())
        .map(claim -> claim.getMetadata().getName())
        .map(
            name ->
                in.claimEvents().containsKey(name)
                    ? Verdict.no(
                        DisksReady.CLAIM_PENDING,
                        "PersistentVolumeClaim/%s is not bound: %s"
                            .formatted(name, in.claimEvents().get(name)))
                    : Verdict.no(
                        DisksReady.BINDING_CLAIM,
                        ("PersistentVolumeClaim/%s is not bound: its volume is being made. If it"
                                + " stays so, see kubectl describe pvc %s.")
                            .formatted(name, name)))
        .findFirst();
  }

  private Optional<Verdict> volumeNotMounted() {
    return in.mountProblem()
        .map(
            problem ->
                Verdict.no(
                    DisksReady.VOLUME_NOT_MOUNTED,
                    "On node %s a volume cannot be mounted: %s. It is tried again."
                        .formatted(pod().flatMap(PodFacts::nodeName).orElse(""), problem)));
  }

  private Optional<Verdict> baseImageFailed() {
    return pod()
        .filter(pod -> !pod.hasStarted())
        .flatMap(PodFacts::fetchProblem)
        .map(this::fetchFailure);
  }

  private Verdict fetchFailure(FetchProblem problem) {
    if (!problem.reason().isEmpty()) {
      return Verdict.no(
          DisksReady.PULL_FAILED,
          "%s: %s: %s. Check source.containerImage.image; it is tried again."
              .formatted(title(problem.disk()), problem.reason(), problem.message()));
    }
    return EventLog.parse(problem.message())
        .wrapperFailure()
        .map(this::diskFailure)
        .orElseGet(
            () ->
                Verdict.no(
                    DisksReady.DISK_FAILED,
                    "%s: its image could not be fetched, see kubectl logs -c image-%s."
                        .formatted(title(problem.disk()), problem.disk())));
  }

  private Optional<Verdict> baseImageMissing() {
    return Optional.of(BaseImages.missing(in))
        .filter(disks -> !disks.isEmpty())
        .map(
            disks ->
                Verdict.no(
                    DisksReady.FETCHING,
                    "The base image of %s is not on node %s; a new pod fetches it."
                        .formatted(
                            String.join(", ", disks),
                            pod().flatMap(PodFacts::nodeName).orElse(""))));
  }

  private Optional<Verdict> diskFailed() {
    return wrapperFailure().filter(failure -> !failure.disk().isEmpty()).map(this::diskFailure);
  }

  private Optional<WrapperFailure> wrapperFailure() {
    return pod().filter(pod -> !pod.isRunning()).flatMap(this::wrapperFailure);
  }

  private Optional<WrapperFailure> wrapperFailure(PodFacts pod) {
    return pod.lastTermination()
        .map(ended -> EventLog.parse(text(ended.getMessage())))
        .flatMap(EventLog::wrapperFailure);
  }

  private Verdict diskFailure(WrapperFailure failure) {
    Optional<String> remedy =
        switch (failure.reason()) {
          case "ChecksumMismatch" ->
              drive(failure.disk()).flatMap(drive -> BaseImages.remedyOfMismatch(in, drive));
          case "DiskLost" -> remedyOfLoss(failure.disk());
          default -> Optional.empty();
        };
    return Verdict.no(
        switch (failure.reason()) {
          case "ChecksumMismatch" -> DisksReady.CHECKSUM_MISMATCH;
          case "DownloadFailed" -> DisksReady.DOWNLOAD_FAILED;
          case "CacheFull" -> DisksReady.CACHE_FULL;
          case "ImageFileUnavailable" -> DisksReady.IMAGE_FILE_UNAVAILABLE;
          case "ImageRefused" -> DisksReady.IMAGE_REFUSED;
          case "DiskLost" -> DisksReady.DISK_LOST;
          case "DiskInUse" -> DisksReady.DISK_IN_USE;
          case "DiskCorrupt" -> DisksReady.DISK_CORRUPT;
          case "VolumeReadOnly" -> DisksReady.VOLUME_READ_ONLY;
          default -> DisksReady.DISK_FAILED;
        },
        "%s: %s%s"
            .formatted(
                title(failure.disk()), failure.message(), remedy.map(". "::concat).orElse("")));
  }

  private Optional<String> remedyOfLoss(String name) {
    return in.spec().disks().stream()
        .filter(disk -> disk.name().equals(name) && disk.storage().isClaimed())
        .findFirst()
        .map(
            disk ->
                "Restore it; or, to begin with a new disk: kubectl annotate pvc %s %s-"
                    .formatted(in.identity().claimOf(disk), VmObjects.MADE_ANNOTATION));
  }

  private Optional<Drive> drive(String name) {
    return Drive.of(in.spec()).stream().filter(drive -> drive.name().equals(name)).findFirst();
  }

  /** Also of a disk that the pod has and the spec has no more. */
  private String title(String name) {
    return drive(name).map(Drive::title).orElse("Disk " + name);
  }

  private Optional<Verdict> baseImageComes() {
    return pod()
        .filter(pod -> !pod.hasStarted())
        .map(pod -> pod.fetches().stream().filter(disk -> !pod.hasFetched(disk)).toList())
        .filter(missing -> !missing.isEmpty())
        .map(
            missing ->
                Verdict.no(
                    DisksReady.FETCHING,
                    "The base image of %s is on its way, see kubectl logs -c image-%s."
                        .formatted(String.join(", ", missing), missing.getFirst())));
  }

  /** While the guest runs, which has got an error or waits. */
  private Optional<Verdict> diskFoundCorrupt() {
    return in.spec().disks().stream()
        .map(Disk::name)
        .filter(
            disk ->
                in.answers()
                    .map(answers -> answers.disks().get(disk))
                    .filter(DiskImage::corrupt)
                    .isPresent())
        .findFirst()
        .map(
            disk ->
                Verdict.no(
                    DisksReady.DISK_CORRUPT,
                    ("Disk %s: QEMU has found damage in its tables and writes no more to it. Halt the"
                            + " VirtualMachine, then make a copy of the volume and repair the disk as"
                            + " the user guide says (qemu-img check -r all).")
                        .formatted(disk)));
  }

  private Optional<Verdict> disksThere() {
    String never = PendingChanges.names(pendingChanges, PendingChanges.NEVER);
    return Optional.of(
        Verdict.yes(
            DisksReady.READY,
            "Claims are bound, base images are there."
                + (never.isEmpty()
                    ? ""
                    : " A disk keeps what it was made from: %s would be that of a new disk only."
                        .formatted(never))));
  }

  // ---- the others

  Verdict networkReady() {
    if (in.spec().networks() == null || in.spec().networks().isEmpty()) {
      return Verdict.yes(NetworkReady.NO_NETWORK, "The VM has no network card.");
    }
    return networkAwaited()
        .or(this::networkFailed)
        .or(this::addressDiffers)
        .or(
            () ->
                pod()
                    .filter(PodFacts::isRunning)
                    .flatMap(PodFacts::address)
                    .map(address -> Verdict.yes(NetworkReady.READY, connections(address))))
        .orElse(Verdict.unknown(NetworkReady.NOT_RUNNING, "There is no running pod."));
  }

  /** A pod that is there and may stay so does not need it. */
  private Optional<Verdict> networkAwaited() {
    return decision.lans().awaited().filter(awaited -> needsPod() && decision.wantsGuest(in));
  }

  /** Until QEMU itself has been started, a LAN that refused the guest is only asked again. */
  private Optional<Verdict> networkFailed() {
    return pod()
        .filter(pod -> !pod.isRunning() || qemuIsBeingStarted().isPresent())
        .flatMap(this::wrapperFailure)
        .filter(failure -> !failure.network().isEmpty())
        .map(
            failure ->
                Verdict.no(
                    switch (failure.reason()) {
                      case "BridgeMissing" -> NetworkReady.BRIDGE_MISSING;
                      case "MTUMismatch" -> NetworkReady.MTU_MISMATCH;
                      case "BridgeFiltered" -> NetworkReady.BRIDGE_FILTERED;
                      case "AddressInUse" -> NetworkReady.ADDRESS_IN_USE;
                      default -> NetworkReady.BRIDGE_FAILED;
                    },
                    "Network %s: %s".formatted(failure.network(), failure.message())));
  }

  /** Of a running guest, which says what it has. */
  private Optional<Verdict> addressDiffers() {
    return LanCards.of(in.spec()).flatMap(card -> addressDiffers(card).stream()).findFirst();
  }

  private Optional<Verdict> addressDiffers(Network card) {
    Optional<GuestAddresses> known = GuestAddresses.of(in, card);
    return card.bridge().isLeased()
        ? LanCards.held(in, card).flatMap(given -> known.flatMap(has -> differs(card, has, given)))
        : known
            .filter(has -> has.addresses().isEmpty())
            .map(
                none ->
                    Verdict.no(
                        NetworkReady.NO_ADDRESS,
                        "%s: the guest reports no address of this card: the LAN's DHCP server has given none, or the guest has not asked it. See kubectl logs."
                            .formatted(LanCards.title(card))));
  }

  private static Optional<Verdict> differs(Network card, GuestAddresses has, String given) {
    return has.has(given)
        ? Optional.empty()
        : Optional.of(
            Verdict.no(
                NetworkReady.ADDRESS_DIFFERS,
                "%s: the guest %s %s, and was given %s. Its image, or its cloud-init sources, may set the network up otherwise; see kubectl logs."
                    .formatted(
                        LanCards.title(card),
                        has.isReported() ? "reports that this card has" : "was seen to use",
                        has.addresses().isEmpty()
                            ? "no address"
                            : String.join(", ", has.addresses()),
                        given)));
  }

  /** Of the cards that the pod was made with. */
  private String connections(String podAddress) {
    return in.spec().networks().stream()
        .filter(
            card ->
                in.pod()
                    .orElseThrow()
                    .specFields()
                    .containsKey("spec.networks[%s].name".formatted(card.name())))
        .map(
            card ->
                card.pod() != null
                    ? "Ports of " + podAddress + " lead to it."
                    : "%s is on BridgeNetwork/%s."
                        .formatted(LanCards.title(card), card.bridge().network()))
        .collect(Collectors.joining(" "));
  }

  Verdict guestReachable() {
    if (in.spec().readinessProbe() == null) {
      return Verdict.unknown(GuestReachable.NO_PROBE, "Set spec.readinessProbe to know.");
    }
    return pod()
        .filter(PodFacts::isRunning)
        .map(pod -> in.spec().readinessProbe().cloudInit() != null ? cloudInitEnded() : opens(pod))
        .orElse(Verdict.unknown(GuestReachable.NOT_RUNNING, "There is no running guest."));
  }

  private Verdict opens(PodFacts pod) {
    if (pod.isNodeSilent()) {
      return Verdict.unknown(
          GuestReachable.NODE_NOT_READY,
          "Node %s does not report to Kubernetes, so nobody probes."
              .formatted(pod.nodeName().orElse("")));
    }
    ReadinessProbe probe = in.spec().readinessProbe();
    if (probe.httpGet() != null) {
      String url =
          "%s port %d, %s"
              .formatted(probe.httpGet().scheme(), probe.httpGet().port(), probe.httpGet().path());
      return pod.isReady()
          ? Verdict.yes(
              GuestReachable.PROBE_SUCCEEDED,
              url + ": the guest answers with a status from 200 to 399.")
          : Verdict.no(
              GuestReachable.PROBE_FAILED,
              url
                  + ": the guest does not answer with a status from 200 to 399 (yet); see kubectl"
                  + " logs, and the Events of the pod for its answer.");
    }
    int port = probe.tcpSocket().port();
    return pod.isReady()
        ? Verdict.yes(GuestReachable.PROBE_SUCCEEDED, "TCP port " + port + " opens.")
        : Verdict.no(
            GuestReachable.PROBE_FAILED,
            "TCP port " + port + " does not open (yet); see kubectl logs.");
  }

  private Verdict cloudInitEnded() {
    Optional<Answers> answers = in.qmp().map(Observation::answers);
    if (answers.isEmpty()) {
      return Verdict.unknown(
          GuestReachable.CLOUD_INIT_RUNS, "QEMU cannot be asked what the guest has reported.");
    }
    GuestReport report = answers.get().report();
    if (report == null) {
      return Verdict.no(
          GuestReachable.CLOUD_INIT_RUNS,
          "The guest has not reported the end of cloud-init in this boot yet; see kubectl logs.");
    }
    return switch (report.result()) {
      case DONE -> Verdict.yes(GuestReachable.PROBE_SUCCEEDED, "cloud-init is done.");
      case DEGRADED ->
          Verdict.yes(
              GuestReachable.PROBE_SUCCEEDED,
              "cloud-init is done, with warnings: " + report.message());
      case ERROR -> Verdict.no(GuestReachable.CLOUD_INIT_FAILED, cloudInitFailed(report.message()));
    };
  }

  static String cloudInitFailed(String message) {
    return "cloud-init ended with an error%s; in the guest: cloud-init status --long"
        .formatted(text(message).isEmpty() ? "" : ": " + message);
  }

  Verdict ready() {
    Verdict running = running();
    if (!accepted().isTrue()) {
      return Verdict.no(accepted().reason(), accepted().message());
    }
    if (running.reason().equals(Running.HALTED)) {
      return Verdict.yes(Ready.HALTED, running.message());
    }
    if (running.reason().equals(Running.STOPPED)) {
      return Verdict.yes(Ready.STOPPED, running.message());
    }
    if (!running.isTrue()) {
      return new Verdict(running.status(), running.reason(), running.message());
    }
    Verdict reachable = guestReachable();
    return reachable.reason().equals(GuestReachable.NO_PROBE) || reachable.isTrue()
        ? Verdict.yes(Ready.RUNNING, running.message())
        : new Verdict(reachable.status(), reachable.reason(), reachable.message());
  }

  Verdict restartRequired() {
    if (pod().filter(PodFacts::hasStarted).isEmpty()) {
      return Verdict.no(RestartRequired.NOT_RUNNING, "There is no running guest.");
    }
    return PendingChanges.awaitBoot(pendingChanges)
        ? Verdict.yes(
            RestartRequired.SPEC_CHANGED,
            "Waiting for a boot: %s. %s"
                .formatted(
                    PendingChanges.names(pendingChanges, PendingChanges.NEXT_BOOT),
                    PendingChanges.remedy(in.identity())))
        : Verdict.no(RestartRequired.UP_TO_DATE, "The pod was made from the present spec.");
  }

  Verdict cloudInitCurrent() {
    if (!in.wantsSeed()) {
      return Verdict.yes(CloudInitCurrent.NO_SEED, "The VM has no cloud-init sources.");
    }
    Optional<String> booted = in.qmp().map(Observation::answers).map(Answers::seedSerial);
    if (booted.isEmpty()) {
      return Verdict.unknown(CloudInitCurrent.NOT_RUNNING, "No QEMU runs that could be asked.");
    }
    if (decision.seed().isEmpty()) {
      return Verdict.unknown(
          accepted().isTrue()
              ? CloudInitCurrent.AWAITING_NETWORKS
              : CloudInitCurrent.SOURCES_INVALID,
          decision
              .lans()
              .awaited()
              .filter(awaited -> accepted().isTrue())
              .orElse(accepted())
              .message());
    }
    Seed wanted = decision.seed().get();
    if (wanted.hash().equals(booted.get())) {
      return Verdict.yes(CloudInitCurrent.CURRENT, "The guest booted with the present sources.");
    }
    String changes =
        SeedHistory.of(in.seed())
            .origins(booted.get())
            .map(then -> Seed.changes(then, wanted.origins()))
            .filter(list -> !list.isEmpty())
            .map(list -> String.join(", ", list))
            .orElse("The sources changed");
    return Verdict.no(
        CloudInitCurrent.CHANGED,
        changes + " since the guest booted. " + PendingChanges.remedy(in.identity()));
  }

  private Stream<PersistentVolumeClaim> claims(String phase) {
    return in.claims().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(Map.Entry::getValue)
        .filter(claim -> claim.getStatus() != null && phase.equals(claim.getStatus().getPhase()));
  }

  private Optional<PodFacts> pod() {
    return in.pod();
  }

  private boolean wantsHalt() {
    return in.spec().runStrategy() == RunStrategy.HALTED;
  }

  private static String text(String nullable) {
    return nullable == null ? "" : nullable;
  }
}
