package dev.qemuoperator.machine;

import static dev.qemuoperator.api.VirtualMachineStatus.Network.ASSIGNED;
import static dev.qemuoperator.api.VirtualMachineStatus.Network.GUEST;
import static dev.qemuoperator.api.VirtualMachineStatus.Network.OBSERVED;
import static dev.qemuoperator.api.VirtualMachineStatus.Network.POD;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.Cdrom;
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
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.Actions;
import dev.qemuoperator.api.VirtualMachineStatus.BootTimings;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.api.VirtualMachineStatus.PendingChange;
import dev.qemuoperator.cloudinit.Seed;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qemu.DiskSize;
import dev.qemuoperator.qemu.Hardware;
import dev.qemuoperator.qemu.MemoryBudget;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.GuestReport;
import dev.qemuoperator.qmp.Observation.Answers;
import dev.qemuoperator.qmp.Reset;
import dev.qemuoperator.status.ConditionList;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Stream;

/**
 * The status, built from nothing; of the one before it takes over transition times, lastExit,
 * bootTimings.ready and, while there is no pod, actions.
 */
final class MachineReport {

  private static final String STARTING = "Starting";

  /** Told from the copying that comes later by its first word. */
  private static final String FETCHED = "fetched: %s";

  private final MachineInputs in;
  private final MachineDecision decision;
  private final Optional<VirtualMachineStatus> before;
  private final Optional<LastExit> lastExit;
  private final List<PendingChange> pendingChanges;
  private final Verdicts verdicts;

  private MachineReport(
      MachineInputs in,
      MachineDecision decision,
      Apply.Result applied,
      PodFacts wanted,
      Instant now) {
    this.in = in.withoutPodOfAnotherVm();
    this.decision = decision;
    this.before = Optional.ofNullable(in.vm().getStatus());
    this.lastExit = new LastExits(this.in, before, now).last();
    this.pendingChanges = PendingChanges.of(this.in, wanted, applied);
    this.verdicts = new Verdicts(this.in, decision, applied.refused(), pendingChanges, lastExit);
  }

  /**
   * @param applied what came of writing the child objects
   * @param wanted the pod as it should be
   */
  static VirtualMachineStatus of(
      MachineInputs in,
      MachineDecision decision,
      Apply.Result applied,
      PodFacts wanted,
      Instant now) {
    return new MachineReport(in, decision, applied, wanted, now).status(now);
  }

  private VirtualMachineStatus status(Instant now) {
    long generation = in.vm().getMetadata().getGeneration();
    Map<String, Verdict> all = new LinkedHashMap<>();
    all.put(Accepted.TYPE, verdicts.accepted());
    all.put(DisksReady.TYPE, verdicts.disksReady());
    all.put(NetworkReady.TYPE, verdicts.networkReady());
    all.put(Running.TYPE, verdicts.running());
    all.put(GuestReachable.TYPE, verdicts.guestReachable());
    all.put(Ready.TYPE, verdicts.ready());
    all.put(RestartRequired.TYPE, verdicts.restartRequired());
    all.put(CloudInitCurrent.TYPE, verdicts.cloudInitCurrent());
    List<Condition> conditions =
        ConditionList.of(
            all, before.map(VirtualMachineStatus::conditions).orElse(List.of()), generation, now);
    return new VirtualMachineStatus(
        generation,
        state(all.get(Running.TYPE)),
        conditions,
        pod().flatMap(PodFacts::nodeName).orElse(null),
        pod().map(pod -> pod.pod().getMetadata().getName()).orElse(null),
        process(),
        lastExit.orElse(null),
        networks(),
        disks(),
        cdroms(),
        cloudInit(),
        guest(),
        resources(),
        bootTimings(conditions),
        pendingChanges,
        actions());
  }

  /** One word: the reason that the guest does not run, or that it does. */
  private static String state(Verdict running) {
    return switch (running.reason()) {
      case Running.NOT_ACCEPTED -> "Rejected";
      case Running.QMP_UNREACHABLE, Running.NODE_NOT_READY, Running.NODE_LOST -> "Unknown";
      case Running.RUNNER_IMAGE, Running.POD_LOST -> STARTING;
      case Running.GUEST_PANICKED -> "Panicked";
      case Running.SUSPENDED -> "Suspended";
      default -> running.reason();
    };
  }

  private VirtualMachineStatus.Process process() {
    return pod()
        .filter(PodFacts::hasStarted)
        .map(
            pod ->
                new VirtualMachineStatus.Process(
                    answers().map(Answers::runState).orElse(null),
                    pod.startedAt().orElse(null),
                    answers().map(Answers::accelerator).orElse(null),
                    answers().map(Answers::qemuVersion).orElse(null),
                    pod.restarts(),
                    in.qmp()
                        .map(qmp -> qmp.heard().powerButtons())
                        .filter(presses -> presses > 0)
                        .orElse(null),
                    in.qmp()
                        .map(qmp -> qmp.heard().reset())
                        .flatMap(MachineReport::reset)
                        .orElse(null)))
        .orElse(null);
  }

  /** Of those that QEMU makes of itself, such as at its start, nobody has to know. */
  private static Optional<VirtualMachineStatus.Reset> reset(Reset last) {
    String cause =
        switch (last.reason()) {
          case "guest-reset" -> "GuestReset";
          case "watchdog" -> "Watchdog";
          case "host-qmp-system-reset" -> "Requested";
          default -> null;
        };
    return Optional.ofNullable(cause)
        .map(word -> new VirtualMachineStatus.Reset(word, last.at().toString()));
  }

  private Actions actions() {
    Optional<Actions> earlier = before.map(VirtualMachineStatus::actions);
    if (pod().isEmpty()) {
      return earlier.orElse(null);
    }
    String restarted = pod().get().met(Annotations.RESTART_REQUESTED_AT);
    String reset = pod().get().met(Annotations.RESET_REQUESTED_AT);
    return restarted.isEmpty() && reset.isEmpty()
        ? null
        : new Actions(restarted.isEmpty() ? null : restarted, reset.isEmpty() ? null : reset);
  }

  private List<VirtualMachineStatus.Network> networks() {
    return Hardware.networks(in.spec()).stream().map(this::network).toList();
  }

  private VirtualMachineStatus.Network network(Network network) {
    String mac = Hardware.macAddress(in.identity(), network);
    if (network.pod() != null) {
      return network(network, mac, pod().filter(PodFacts::isRunning).map(PodFacts::addresses), POD);
    }
    Optional<GuestAddresses> known = GuestAddresses.of(in, network);
    return known.isPresent()
        ? network(
            network,
            mac,
            known.map(GuestAddresses::addresses),
            known.get().isReported() ? GUEST : OBSERVED)
        : network(network, mac, LanCards.given(in, network).map(List::of), ASSIGNED);
  }

  private static VirtualMachineStatus.Network network(
      Network network, String mac, Optional<List<String>> addresses, String source) {
    return new VirtualMachineStatus.Network(
        network.name(),
        mac,
        addresses.orElse(List.of()),
        addresses.map(any -> source).orElse(null));
  }

  private List<VirtualMachineStatus.Disk> disks() {
    return in.spec().disks().stream().map(this::disk).toList();
  }

  private VirtualMachineStatus.Disk disk(Disk disk) {
    boolean claimed = disk.storage().isClaimed();
    String claim = claimed ? in.identity().claimOf(disk) : null;
    String image =
        BaseImages.notes(in, disk).image().orElseGet(() -> BaseImages.nameOf(disk.source()));
    boolean copies = claimed && BaseImages.canBeBacked(disk);
    return new VirtualMachineStatus.Disk(
        disk.name(),
        claim,
        BaseImages.opened(in, disk)
            .map(opened -> new DiskSize(opened.size()).quantity())
            .orElse(null),
        image.isEmpty() ? null : image,
        BaseImages.digest(in, disk).orElse(null),
        copies ? BaseImages.isSelfContained(in, disk) : null,
        Optional.ofNullable(in.fetched().get(disk.name()))
            .map(FETCHED::formatted)
            .or(
                () ->
                    answers()
                        .map(answers -> answers.disks().get(disk.name()))
                        .map(known -> progress(disk, known)))
            .orElse(null));
  }

  /** The drives that have a medium. Of a running guest only QEMU knows. */
  private List<VirtualMachineStatus.Cdrom> cdroms() {
    List<VirtualMachineStatus.Cdrom> cdroms =
        pod().filter(PodFacts::isRunning).isPresent() ? drives() : drivesOfTheNextRun();
    return cdroms.isEmpty() ? null : cdroms;
  }

  private List<VirtualMachineStatus.Cdrom> drives() {
    return MediumChange.drives(in).orElse(Map.of()).entrySet().stream()
        .filter(drive -> drive.getValue().medium() != null)
        .sorted(Map.Entry.comparingByKey())
        .map(
            drive ->
                new VirtualMachineStatus.Cdrom(
                    drive.getKey(),
                    MediumChange.nameOf(in, drive.getKey(), drive.getValue()).orElse(null),
                    drive.getValue().digest(),
                    null))
        .toList();
  }

  private List<VirtualMachineStatus.Cdrom> drivesOfTheNextRun() {
    return in.spec().cdroms().stream()
        .flatMap(cdrom -> medium(cdrom).map(image -> cdrom(cdrom.name(), image)).stream())
        .toList();
  }

  private VirtualMachineStatus.Cdrom cdrom(String name, String image) {
    return new VirtualMachineStatus.Cdrom(
        name,
        image,
        BaseImages.fetchedDigest(in, name).orElse(null),
        Optional.ofNullable(in.fetched().get(name)).map(FETCHED::formatted).orElse(null));
  }

  /** Of a pod it is what that was made with; the spec may say something else since. */
  private Optional<String> medium(Cdrom cdrom) {
    if (pod().isEmpty()) {
      return Optional.ofNullable(cdrom.source())
          .map(source -> BaseImages.nameOf(new Drive.Optical(cdrom).source()));
    }
    String source = "spec.cdroms[" + cdrom.name() + "].source.";
    SortedMap<String, String> fields = pod().get().specFields();
    return Stream.of("image", "http.url")
        .flatMap(field -> Stream.ofNullable(fields.get(source + field)))
        .findFirst();
  }

  private static String progress(Disk disk, DiskImage image) {
    if (image.copied() != null) {
      return image.copied() + " %";
    }
    return Boolean.FALSE.equals(disk.selfContained()) ? null : image.problem();
  }

  private VirtualMachineStatus.CloudInit cloudInit() {
    if (!in.wantsSeed()) {
      return null;
    }
    return new VirtualMachineStatus.CloudInit(
        decision.seed().map(Seed::hash).orElse(null),
        answers().map(Answers::seedSerial).orElse(null),
        decision.seed().map(Seed::instanceId).orElse(null),
        report().map(this::finishedAt).orElse(null),
        report().map(report -> report.result().word()).orElse(null),
        report().map(GuestReport::message).flatMap(MachineReport::said).orElse(null));
  }

  private String finishedAt(GuestReport report) {
    Instant started = pod().flatMap(PodFacts::startedAt).map(Instant::parse).orElse(Instant.MIN);
    return report.finishedAt(started).truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private VirtualMachineStatus.Guest guest() {
    return report()
        .map(
            report ->
                new VirtualMachineStatus.Guest(
                    said(report.hostname()).orElse(null),
                    said(report.osName()).orElse(null),
                    said(report.kernel()).orElse(null),
                    report.addresses(),
                    report.sshHostKeys()))
        .orElse(null);
  }

  private static Optional<String> said(String text) {
    return Optional.of(text).filter(some -> !some.isEmpty());
  }

  private Optional<GuestReport> report() {
    return answers().map(Answers::report);
  }

  private VirtualMachineStatus.Resources resources() {
    MemoryBudget memory = MemoryBudget.of(in.spec());
    return new VirtualMachineStatus.Resources(
        new Quantity(memory.guestMiB() + "Mi"), new Quantity(memory.overheadMiB() + "Mi"));
  }

  private BootTimings bootTimings(List<Condition> conditions) {
    return pod()
        .filter(PodFacts::hasStarted)
        .map(
            pod ->
                new BootTimings(
                    pod.until("PodScheduled").map(MachineReport::seconds).orElse(null),
                    pod.until("Initialized").map(MachineReport::seconds).orElse(null),
                    firstStart().map(pod::sinceCreation).map(MachineReport::seconds).orElse(null),
                    readyBefore()
                        .or(
                            () ->
                                firstStart()
                                    .flatMap(started -> readySince(conditions))
                                    .map(pod::sinceCreation)
                                    .map(MachineReport::seconds))
                        .orElse(null)))
        .orElse(null);
  }

  /**
   * Absent once the guest was started again in this pod: that is no boot from the pod's creation.
   */
  private Optional<String> firstStart() {
    return pod().filter(pod -> pod.restarts() == 0).flatMap(PodFacts::startedAt);
  }

  /** How long the boot of this process took; a later flip of Ready does not change it. */
  private Optional<String> readyBefore() {
    return before
        .filter(status -> status.process() != null && status.bootTimings() != null)
        .filter(status -> firstStart().equals(Optional.ofNullable(status.process().startedAt())))
        .map(status -> status.bootTimings().ready());
  }

  private static Optional<String> readySince(List<Condition> conditions) {
    return ConditionList.find(conditions, Ready.TYPE)
        .filter(condition -> "True".equals(condition.getStatus()))
        .filter(condition -> Ready.RUNNING.equals(condition.getReason()))
        .map(Condition::getLastTransitionTime);
  }

  private static String seconds(Duration duration) {
    return Math.max(0, duration.toSeconds()) + "s";
  }

  private Optional<PodFacts> pod() {
    return in.pod();
  }

  private Optional<Answers> answers() {
    return in.answers();
  }

  /** Server-side apply of nothing but the status: the spec stays its owner's. */
  static VirtualMachine statusOnly(VirtualMachine vm, VirtualMachineStatus status) {
    VirtualMachine patch = new VirtualMachine();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace(vm.getMetadata().getNamespace())
            .withName(vm.getMetadata().getName())
            .withUid(vm.getMetadata().getUid())
            .build());
    patch.setStatus(status);
    return patch;
  }

  /** Whether it says that something is missing of which no watch tells, as of a log. */
  static boolean waitsForTheUnwatched(VirtualMachineStatus status) {
    Set<String> reasons =
        Set.of(
            DisksReady.BINDING_CLAIM,
            DisksReady.CLAIM_PENDING,
            DisksReady.CLAIM_NOT_FOUND,
            DisksReady.CLAIM_IN_USE,
            DisksReady.DISK_LOST,
            DisksReady.FETCHING,
            Accepted.NAME_TAKEN,
            Accepted.REFUSED);
    // a pod that cannot mount its volumes says so in Events alone
    return (STARTING.equals(status.state()) && status.podName() != null)
        || List.of(Accepted.TYPE, DisksReady.TYPE).stream()
            .flatMap(type -> ConditionList.find(status.conditions(), type).stream())
            .anyMatch(condition -> reasons.contains(condition.getReason()))
        || PendingChanges.areComing(status.pendingChanges());
  }
}
