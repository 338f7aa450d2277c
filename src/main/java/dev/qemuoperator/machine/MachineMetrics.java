package dev.qemuoperator.machine;

import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.Conditions.Ready;
import dev.qemuoperator.api.Conditions.Running;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.BootTimings;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.api.VirtualMachineStatus.Process;
import dev.qemuoperator.qmp.ConnectionListener;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Condition;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * What Prometheus reads of the VMs; docs/metrics.md is the reference. No label names a VM or a
 * namespace, so that the number of series does not grow with the number of VMs.
 *
 * <p>It compares each status with the last one that it was told itself, and only at first with the
 * one of the API server: a pass that is repeated because its write failed counts nothing twice, and
 * neither does an operator that has just started.
 */
final class MachineMetrics implements ConnectionListener {

  /** Values of status.state. All are exported, with 0 if no VM is in it. */
  static final List<String> STATES =
      List.of(
          Running.RUNNING,
          Running.HALTED,
          Running.STARTING,
          Running.STOPPING,
          Running.RESTARTING,
          Running.STOPPED,
          Running.FAILED,
          Running.PAUSED,
          Running.DISK_FULL,
          Running.IO_ERROR,
          Running.UNSCHEDULABLE,
          "Panicked",
          "Suspended",
          "Rejected",
          "Unknown");

  /** Values of status.lastExit.cause. Known from the start, so that the first exit is a rise. */
  static final List<String> CAUSES =
      List.of(
          "GuestShutdown",
          "GuestReset",
          "GuestPanic",
          "Watchdog",
          "Requested",
          "HostSignal",
          "IOError",
          "OutOfMemory",
          "QemuError",
          "Evicted",
          "NodeLost",
          "Unknown");

  private static final List<Stage> STAGES =
      List.of(
          new Stage("scheduled", BootTimings::scheduled),
          new Stage("disks_ready", BootTimings::disksReady),
          new Stage("process_started", BootTimings::processStarted),
          new Stage("ready", BootTimings::ready));

  /** From a tiny guest on KVM to a large image on a slow line. */
  private static final Duration[] BUCKETS =
      Stream.of(1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
          .map(Duration::ofSeconds)
          .toArray(Duration[]::new);

  private final MeterRegistry registry;
  private final Clock clock;
  private final Map<String, Told> vms = new ConcurrentHashMap<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final Counter losses;

  MachineMetrics(MeterRegistry registry, Clock clock) {
    this.registry = registry;
    this.clock = clock;
    STATES.forEach(this::export);
    CAUSES.forEach(this::exits);
    STAGES.forEach(this::durations);
    Gauge.builder("qemu.operator.longest.unready", this, MachineMetrics::longestUnready)
        .description("How long the VM is not Ready that is so for the longest time; 0: none is so.")
        .baseUnit("seconds")
        .strongReference(true)
        .register(registry);
    Gauge.builder("qemu.operator.qmp.connections", connections, AtomicInteger::get)
        .description("Open connections to QEMU's monitors.")
        .strongReference(true)
        .register(registry);
    losses =
        Counter.builder("qemu.operator.qmp.connection.losses")
            .description("Connections to QEMU's monitors that broke and were dialed again.")
            .register(registry);
  }

  /** What one pass found, whether it is news or not. */
  void observe(VirtualMachine vm, VirtualMachineStatus now) {
    String key = key(vm);
    Told before = Optional.ofNullable(vms.get(key)).orElseGet(() -> Told.of(vm.getStatus()));
    if (now.lastExit() != null && !MachineEvent.isSameExit(before.exit(), now.lastExit())) {
      exits(now.lastExit().cause()).increment();
    }
    Told told = before.then(now);
    for (Stage stage : STAGES) {
      String duration = stage.of(told.timings());
      if (duration != null
          && (stage.of(before.timings()) == null || told.isAnotherBootThan(before))) {
        durations(stage).record(parse(duration));
      }
    }
    vms.put(key, told);
    export(now.state());
  }

  void forget(VirtualMachine vm) {
    vms.remove(key(vm));
  }

  @Override
  public void opened() {
    connections.incrementAndGet();
  }

  @Override
  public void closed(boolean lost) {
    connections.decrementAndGet();
    if (lost) {
      losses.increment();
    }
  }

  private static String key(VirtualMachine vm) {
    return Monitoring.key(MachineInputs.identityOf(vm));
  }

  /** The registry keeps the first gauge of a state and ignores the others. */
  private void export(String state) {
    Gauge.builder("qemu.operator.virtual.machines", vms, all -> count(all, state))
        .description("VirtualMachines by status.state.")
        .tag("state", state)
        .strongReference(true)
        .register(registry);
  }

  private static long count(Map<String, Told> all, String state) {
    return all.values().stream().filter(told -> state.equals(told.state())).count();
  }

  private Counter exits(String cause) {
    return Counter.builder("qemu.operator.exits")
        .description("Ends of guests' processes by status.lastExit.cause.")
        .tag("cause", cause)
        .register(registry);
  }

  private Timer durations(Stage stage) {
    return Timer.builder("qemu.operator.start.duration")
        .description("From the creation of a VM's pod to a stage of its first start.")
        .tag("stage", stage.name())
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  private double longestUnready() {
    Instant now = clock.instant();
    return vms.values().stream()
        .map(Told::unreadySince)
        .filter(Objects::nonNull)
        .mapToLong(since -> Duration.between(since, now).toSeconds())
        .max()
        .orElse(0);
  }

  /** Such as 4s or 0.4s. */
  private static Duration parse(String duration) {
    return Duration.parse("PT" + duration.toUpperCase(Locale.ROOT));
  }

  private record Stage(String name, Function<BootTimings, String> field) {
    String of(BootTimings timings) {
      return timings == null ? null : field.apply(timings);
    }
  }

  /**
   * Of a status, what the next one is compared with.
   *
   * @param unreadySince null if it is Ready, or meant not to be
   */
  private record Told(
      String state, Instant unreadySince, Process process, BootTimings timings, LastExit exit) {

    private static final Told NOTHING = new Told(null, null, null, null, null);

    static Told of(VirtualMachineStatus status) {
      return status == null
          ? NOTHING
          : new Told(
              status.state(), null, status.process(), status.bootTimings(), status.lastExit());
    }

    Told then(VirtualMachineStatus now) {
      return new Told(
          now.state(), unreadySince(now), now.process(), now.bootTimings(), now.lastExit());
    }

    private Instant unreadySince(VirtualMachineStatus now) {
      Optional<Condition> unready =
          ConditionList.find(now.conditions(), Ready.TYPE)
              .filter(ready -> !"True".equals(ready.getStatus()))
              .filter(ready -> !isMeantSo(now));
      // a flip from False to Unknown moves the condition's own time
      return unready
          .map(Condition::getLastTransitionTime)
          .map(Instant::parse)
          .map(since -> unreadySince == null ? since : unreadySince)
          .orElse(null);
    }

    private static boolean isMeantSo(VirtualMachineStatus now) {
      return Running.PAUSED.equals(now.state())
          || ConditionList.find(now.conditions(), Accepted.TYPE)
              .filter(accepted -> Accepted.SUSPENDED.equals(accepted.getReason()))
              .isPresent();
    }

    /**
     * Timings are those of a pod's first start. One that nobody saw without a pod in between is
     * told by the time at which its process started.
     */
    boolean isAnotherBootThan(Told before) {
      return process != null
          && process.startedAt() != null
          && process.restarts() == 0
          && before.process() != null
          && !process.startedAt().equals(before.process().startedAt());
    }
  }
}
