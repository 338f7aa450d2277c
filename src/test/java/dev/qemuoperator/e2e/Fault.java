package dev.qemuoperator.e2e;

import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.awaitility.Awaitility;

/** What happens to a guest; each is over when it returns, or goes on by itself. */
enum Fault {
  QEMU_KILLED(true, vm -> vm.inPod("sh", "-c", "kill -9 $(pidof qemu-system-x86_64)")),
  QEMU_STUCK(false, Fault::stick),
  GUEST_PANIC(true, vm -> vm.runLast("echo c > /proc/sysrq-trigger")),
  GUEST_REBOOT(true, vm -> vm.runLast("reboot -f")),
  GUEST_POWER_OFF(true, vm -> vm.runLast("poweroff -f")),
  POD_DELETED(true, vm -> vm.pod().delete()),
  POD_DELETED_BY_FORCE(true, vm -> vm.pod().withGracePeriod(0).delete()),
  MONITOR_REFUSED(false, vm -> cutMonitor(vm, "reject with tcp reset", Duration.ofSeconds(6))),
  MONITOR_HALF_OPEN(false, vm -> cutMonitor(vm, "drop", Duration.ofSeconds(12))),
  PAUSED_BY_SOMEBODY(false, Fault::pause),
  PAUSED_BY_SPEC(false, Fault::pauseBySpec),
  SPEC_EDITED(false, Fault::edit),
  RESET_REQUESTED(true, vm -> vm.annotate("qemu-operator.dev/reset-requested-at", now())),
  RESTART_REQUESTED(true, vm -> vm.annotate("qemu-operator.dev/restart-requested-at", now())),
  HALTED_AND_STARTED(true, Fault::halt);

  private static final Duration SOON = Duration.ofSeconds(90);

  private final boolean endsRun;
  private final Consumer<Vm> cause;

  Fault(boolean endsRun, Consumer<Vm> cause) {
    this.endsRun = endsRun;
    this.cause = cause;
  }

  /** Whether the guest boots afterwards, once, as opposed to going on as if nothing had been. */
  boolean endsRun() {
    return endsRun;
  }

  void happenTo(Vm vm) {
    cause.accept(vm);
  }

  private static void stick(Vm vm) {
    vm.inPod("sh", "-c", "kill -STOP $(pidof qemu-system-x86_64)");
    pass(Duration.ofSeconds(8));
    vm.inPod("sh", "-c", "kill -CONT $(pidof qemu-system-x86_64)");
  }

  private static void cutMonitor(Vm vm, String verdict, Duration time) {
    vm.inPod("nft", "add table inet cut");
    vm.inPod("nft", "add chain inet cut in { type filter hook input priority -300; }");
    vm.inPod("nft", "add rule inet cut in tcp dport 7000-7001 " + verdict);
    pass(time);
    vm.inPod("nft", "delete table inet cut");
  }

  private static void pause(Vm vm) {
    vm.qmp("stop");
    vm.await("paused", SOON, status -> "Paused".equals(status.state()));
    vm.qmp("cont");
  }

  private static void pauseBySpec(Vm vm) {
    vm.patch("{\"spec\":{\"paused\":true}}");
    vm.await("paused", SOON, status -> "Paused".equals(status.state()));
    vm.patch("{\"spec\":{\"paused\":null}}");
  }

  private static void edit(Vm vm) {
    vm.patch("{\"spec\":{\"memory\":{\"size\":\"193Mi\"}}}");
    vm.await("one change is pending", SOON, status -> status.pendingChanges().size() == 1);
    vm.patch("{\"spec\":{\"memory\":{\"size\":\"192Mi\"}}}");
    vm.await("nothing is pending", SOON, status -> status.pendingChanges().isEmpty());
  }

  private static void halt(Vm vm) {
    vm.setRunStrategy("Halted");
    vm.await("halted", SOON, status -> "Halted".equals(status.state()));
    vm.setRunStrategy("Always");
  }

  private static String now() {
    return Instant.now().toString();
  }

  private static void pass(Duration time) {
    Awaitility.await().pollDelay(time).atMost(time.plusSeconds(5)).until(() -> true);
  }
}
