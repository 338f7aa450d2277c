package dev.qemuoperator.machine;

import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.qemu.VmIdentity;
import dev.qemuoperator.qmp.Endpoint;
import dev.qemuoperator.qmp.QmpMonitors;

/** Decides whose QEMU is listened to: that of every pod whose container runs. */
final class Monitoring {

  private final QmpMonitors monitors;

  Monitoring(QmpMonitors monitors) {
    this.monitors = monitors;
  }

  static String key(VmIdentity vm) {
    return vm.namespace() + "/" + vm.name();
  }

  /** Starts, goes on or ends listening. */
  void follow(MachineInputs in) {
    VmIdentity vm = in.identity();
    in.pod()
        .filter(PodFacts::isRunning)
        .filter(pod -> pod.address().isPresent() && !in.hasPodOfAnotherVm())
        .ifPresentOrElse(
            pod ->
                monitors.watch(
                    key(vm),
                    new Endpoint(
                        vm.namespace(),
                        vm.name(),
                        pod.address().get(),
                        vm.serverName(),
                        pod.containerId())),
            () -> monitors.forget(key(vm)));
  }

  void forget(VmIdentity vm) {
    monitors.forget(key(vm));
  }
}
