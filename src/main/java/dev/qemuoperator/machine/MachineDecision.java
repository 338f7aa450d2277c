package dev.qemuoperator.machine;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.Machine.Firmware;
import dev.qemuoperator.api.RunStrategy;
import dev.qemuoperator.cloudinit.Finding;
import dev.qemuoperator.cloudinit.Guest;
import dev.qemuoperator.cloudinit.Nic;
import dev.qemuoperator.cloudinit.Seed;
import dev.qemuoperator.cloudinit.SeedResult;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.VmObjects;
import dev.qemuoperator.qemu.Hardware;
import dev.qemuoperator.qemu.VmIdentity;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.Shutdown;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What follows from the inputs, before anything is built.
 *
 * @param accepted whether the manifest and all it names can be used
 * @param seed the seed that the sources make now
 * @param bases what the next pod has to bring to its node first
 * @param awaited why there can be no further pod yet, for its images or its claims
 * @param lans the network cards on LANs
 * @param done what makes a pod superfluous that the run strategy would otherwise ask for, such as
 *     {@code Once} and the restart request that it has met; empty if nothing does
 */
record MachineDecision(
    Verdict accepted,
    Optional<Seed> seed,
    BaseImages bases,
    Optional<Verdict> awaited,
    LanCards lans,
    Optional<String> done) {

  /** A pod that ends at once, time and again, is not replaced more often than this. */
  static final Duration REST = Duration.ofSeconds(30);

  static MachineDecision of(MachineInputs in) {
    LanCards lans = LanCards.of(in);
    SeedResult seed = seed(in, lans);
    Verdict accepted = accepted(in, seed.findings());
    BaseImages bases = BaseImages.of(in);
    return new MachineDecision(
        accepted, seed.seed(), bases, Volumes.awaited(in).or(bases::awaited), lans, done(in));
  }

  /**
   * That the guest has been run, or has powered itself off. It is read from the pod, and once the
   * pod is gone from a mark on the Secret of certificates, the one child that every VM always has.
   */
  private static Optional<String> done(MachineInputs in) {
    String strategy = in.spec().runStrategy().name();
    Optional<String> request = in.request(Annotations.RESTART_REQUESTED_AT);
    Optional<String> marked =
        in.tls()
            .map(VmObjects::doneMark)
            .filter(mark -> mark.split(" ", 2)[0].equals(strategy))
            // an annotation that is taken away asks for nothing
            .filter(mark -> request.isEmpty() || mark.equals(strategy + " " + request.get()));
    if (marked.isPresent()) {
      return marked;
    }
    Optional<PodFacts> pod =
        in.pod().filter(facts -> !in.hasPodOfAnotherVm() && !in.isRestartRequested(facts));
    boolean done =
        switch (in.spec().runStrategy()) {
          case ALWAYS, HALTED -> false;
          case RERUN_ON_FAILURE -> pod.filter(MachineDecision::poweredItselfOff).isPresent();
          case ONCE -> pod.filter(facts -> hasRun(facts, in.qmp())).isPresent();
        };
    return Optional.of((strategy + " " + request.orElse("")).strip()).filter(mark -> done);
  }

  /** As opposed to one that was evicted or deleted, and powered off in an orderly way for that. */
  private static boolean poweredItselfOff(PodFacts pod) {
    return pod.hasSucceeded() && !endOf(pod).termSignalled();
  }

  /** Whether the guest itself was started, as opposed to the preparations for it. */
  private static boolean hasRun(PodFacts pod, Optional<Observation> qmp) {
    EventLog log = endOf(pod);
    boolean stoppedBefore = log.termSignalled() && log.stopSteps().isEmpty();
    return (pod.hasRunGuest() && !stoppedBefore)
        || (pod.isRunning() && qmp.filter(Observation::isConnected).isPresent());
  }

  private static EventLog endOf(PodFacts pod) {
    return EventLog.parse(pod.lastTermination().map(ended -> ended.getMessage()).orElse(null));
  }

  private boolean wantsPod(MachineInputs in) {
    return wantsGuest(in) && hasAll();
  }

  /** Whether a pod that went could be followed by another one. */
  boolean canReplace() {
    return isAccepted() && hasAll();
  }

  private boolean hasAll() {
    return awaited.isEmpty() && lans.awaited().isEmpty();
  }

  /** Whether a guest is to run, as soon as it can. */
  boolean wantsGuest(MachineInputs in) {
    return isAccepted() && in.spec().runStrategy() != RunStrategy.HALTED && done.isEmpty();
  }

  boolean isAccepted() {
    return accepted.isTrue();
  }

  private static SeedResult seed(MachineInputs in, LanCards lans) {
    if (!in.wantsSeed() || !in.missingSources().isEmpty() || !lans.areKnown(in)) {
      return new SeedResult(Optional.empty(), List.of());
    }
    VmIdentity vm = in.identity();
    List<Nic> nics =
        Hardware.networks(in.spec()).stream()
            .map(
                network ->
                    new Nic(
                        network.name(), Hardware.macAddress(vm, network), lans.fixed(in, network)))
            .toList();
    List<String> keys =
        in.spec().ssh() == null || in.spec().ssh().authorizedKeys() == null
            ? List.of()
            : in.spec().ssh().authorizedKeys();
    return dev.qemuoperator.cloudinit.NoCloud.build(
        new Guest(vm.uid(), vm.name(), nics, keys), in.layers());
  }

  private static Verdict accepted(MachineInputs in, List<Finding> findings) {
    if (!in.missingSources().isEmpty()) {
      return Verdict.no(
          Accepted.SOURCE_NOT_FOUND,
          "%s: not found in namespace %s. Create it, or remove it from spec.cloudInit.sources."
              .formatted(String.join(", ", in.missingSources()), in.identity().namespace()));
    }
    if (!findings.isEmpty()) {
      return Verdict.no(
          Accepted.CLOUD_INIT_INVALID,
          findings.stream().map(Finding::text).collect(Collectors.joining("; ")));
    }
    if (in.hasPodOfAnotherVm()) {
      return Taken.by(in.identity(), in.pod().orElseThrow().pod());
    }
    List<String> taken = takenNames(in);
    if (!taken.isEmpty()) {
      return Verdict.no(
          Accepted.NAME_TAKEN,
          "%s: exists and is not this VM's. Delete or rename it, or give the VM another name."
              .formatted(String.join(", ", taken)));
    }
    Optional<String> shared = sharedClaim(in);
    if (shared.isPresent()) {
      return Verdict.no(
          Accepted.CLAIM_OF_ANOTHER_DISK,
          "Two disks are on PersistentVolumeClaim/%s: give each a claim of its own."
              .formatted(shared.get()));
    }
    if (in.spec().machine().firmware() == Firmware.UEFI
        && Hardware.placeOfUefiVariables(in.spec(), Volumes.of(in)).isEmpty()) {
      return Verdict.no(
          Accepted.NO_PLACE_FOR_UEFI_VARIABLES,
          "UEFI keeps its variables in a file beside a disk, and all disks are on volumes of the mode"
              + " Block, which have no files. Add a disk on a volume of the mode Filesystem.");
    }
    return Verdict.yes(Accepted.VALID, "The manifest and everything it names can be used.");
  }

  /** One that is named as an existing one, and made for another disk as well. */
  private static Optional<String> sharedClaim(MachineInputs in) {
    Set<String> claims = new HashSet<>();
    return in.spec().disks().stream()
        .filter(disk -> disk.storage().isClaimed())
        .map(disk -> in.identity().claimOf(disk))
        .filter(claim -> !claims.add(claim))
        .findFirst();
  }

  /** Claims are looked up by name, so one that somebody else made is seen before it is used. */
  private static List<String> takenNames(MachineInputs in) {
    Set<String> existing =
        in.spec().disks().stream()
            .flatMap(disk -> disk.storage().existing().stream())
            .collect(Collectors.toSet());
    return in.claims().values().stream()
        .filter(claim -> !existing.contains(claim.getMetadata().getName()))
        .filter(claim -> !Ownership.canBeTakenUpBy(in.identity(), claim))
        .map(claim -> name(claim))
        .toList();
  }

  private static String name(HasMetadata object) {
    return object.getKind() + "/" + object.getMetadata().getName();
  }

  /** What to do with the pod. */
  enum PodStep {
    /** There is none and none is wanted, or it is as it may stay. */
    KEEP,
    CREATE,
    /** Graceful: PID 1 of the pod presses the power button. */
    DELETE,
    /** It is going; the next one can only come then, because its name is the same. */
    WAIT,
    /** It has ended as a whole, soon after it was made; it is replaced a little later. */
    REST
  }

  /**
   * A running guest is never ended because its template changed; a pod in which none runs has no
   * guest to protect and is replaced at once. What it fetches first matters only until it has.
   *
   * @param wanted the pod as it should be
   */
  PodStep podStep(MachineInputs in, PodFacts wanted, Instant now) {
    if (in.isSuspended()) {
      return PodStep.KEEP;
    }
    if (in.pod().isEmpty()) {
      return wantsPod(in) ? PodStep.CREATE : PodStep.KEEP;
    }
    PodFacts pod = in.pod().get();
    if (pod.isDeleting() || in.hasPodOfAnotherVm()) {
      return PodStep.WAIT;
    }
    if (in.spec().runStrategy() == RunStrategy.HALTED
        || (canReplace() && in.isRestartRequested(pod))) {
      return PodStep.DELETE;
    }
    if (pod.isOver()) {
      return over(pod, now);
    }
    // QEMU says that it ends a moment before it does: the kubelet must not start the old pod's once
    // more
    boolean replaceable =
        canReplace() && done.isEmpty() && !endsForGood(in, pod) && !in.guestRunsOn();
    // a CPU limit that could not be changed while the guest ran is changed now
    boolean outdated =
        PendingChanges.awaitBoot(PendingChanges.of(in, wanted, Apply.Result.UNTRIED))
            || (!pod.hasStarted() && !wanted.fetchTemplate().equals(pod.fetchTemplate()))
            || isOnAnotherLan(pod, wanted);
    // a pod that has fetched and still lacks it would only be followed by one like it
    boolean lacksBase = BaseImages.missing(in).stream().anyMatch(disk -> !pod.hasFetched(disk));
    boolean otherInputs = MediumChange.isOfAnOlderSpec(in) || Volumes.areGivenUp(in);
    return replaceable && (outdated || lacksBase || otherInputs) ? PodStep.DELETE : PodStep.KEEP;
  }

  /** It cannot be started there, or could be where it may not be scheduled to. */
  private boolean isOnAnotherLan(PodFacts pod, PodFacts wanted) {
    return lans.places()
        .nodes()
        .filter(
            nodes ->
                pod.nodeName()
                    .map(node -> !nodes.contains(node))
                    .orElseGet(() -> !wanted.nodesTemplate().equals(pod.nodesTemplate())))
        .isPresent();
  }

  /** The pod is about to tell an end that the run strategy leaves so: it must stay to do that. */
  static boolean endsForGood(MachineInputs in, PodFacts pod) {
    Optional<String> heard =
        in.qmp().map(Observation::heard).map(Heard::shutdown).map(Shutdown::reason);
    Optional<String> told =
        Optional.of(endOf(pod))
            .filter(log -> !pod.isRunning() && !log.termSignalled())
            .flatMap(EventLog::shutdown)
            .map(Shutdown::reason);
    return switch (in.spec().runStrategy()) {
      case ALWAYS, HALTED -> false;
      case RERUN_ON_FAILURE -> heard.or(() -> told).filter("guest-shutdown"::equals).isPresent();
      case ONCE -> !pod.isRunning() && hasRun(pod, in.qmp()) || heard.isPresent();
    };
  }

  private PodStep over(PodFacts pod, Instant now) {
    if (done.isPresent()) {
      return PodStep.KEEP;
    }
    return pod.age(now).compareTo(REST) < 0 ? PodStep.REST : PodStep.DELETE;
  }
}
