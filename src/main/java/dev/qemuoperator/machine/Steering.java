package dev.qemuoperator.machine;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.Conditions.CloudInitCurrent;
import dev.qemuoperator.api.RunStrategy;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.VmPod;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.QmpMonitors;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.logging.Logger;

/**
 * Tells a running QEMU what spec and annotations ask for. What has been done stands on the pod
 * before it is done: an operator that dies in between leaves it undone, and no other one does it
 * again.
 */
final class Steering {

  private static final Logger LOG = Logger.getLogger(Steering.class);
  private static final String FIELD_MANAGER = "qemu-operator-steering";

  /** What is known to hold for one run of QEMU. */
  private record RebootAction(String incarnation, String action) {}

  private final KubernetesClient client;
  private final QmpMonitors monitors;
  private final DiskResizes resizes;
  private final DiskCopies copies;
  private final MediaChanger media;
  private final Map<String, RebootAction> rebootActions = new ConcurrentHashMap<>();

  Steering(
      KubernetesClient client,
      QmpMonitors monitors,
      DiskResizes resizes,
      DiskCopies copies,
      MediaChanger media) {
    this.client = client;
    this.monitors = monitors;
    this.resizes = resizes;
    this.copies = copies;
    this.media = media;
  }

  /**
   * @param status what this pass tells
   * @return whether all that is asked for has been done; else the caller should come back
   */
  boolean steer(MachineInputs in, VirtualMachineStatus status) {
    Optional<Observation> qemu = in.qmp().filter(Observation::isConnected);
    if (qemu.isEmpty()
        || in.hasPodOfAnotherVm()
        || in.pod().filter(pod -> pod.isRunning() && !pod.isDeleting()).isEmpty()) {
      return true;
    }
    String key = Monitoring.key(in.identity());
    try {
      onReboot(key, qemu.get().incarnation(), rebootApplies(in, status) ? "shutdown" : "reset");
      pause(key, in, qemu.get().answers().runState());
      reset(key, in);
      media.advance(key, in);
      resizes.advance(key, in); // first, because none grows while it is being copied into
      return copies.advance(key, in, status);
    } catch (KubernetesClientException e) {
      LOG.infof("no note on the pod, so nothing was done vm=%s problem=%s", key, e.getMessage());
      return false;
    } catch (IOException e) {
      LOG.warnf("QEMU did not take a command vm=%s problem=%s", key, e.getMessage());
      return false;
    }
  }

  void forget(String key) {
    rebootActions.remove(key);
    resizes.forget(key);
    copies.forget(key);
    media.forget(key);
  }

  /** What waits for a boot waits no longer than until the guest's own next one. */
  private static boolean rebootApplies(MachineInputs in, VirtualMachineStatus status) {
    return in.spec().runStrategy() != RunStrategy.ONCE
        && (PendingChanges.awaitBoot(status.pendingChanges())
            || ConditionList.find(status.conditions(), CloudInitCurrent.TYPE)
                .filter(condition -> condition.getReason().equals(CloudInitCurrent.CHANGED))
                .isPresent());
  }

  private void onReboot(String key, String incarnation, String action) throws IOException {
    RebootAction wanted = new RebootAction(incarnation, action);
    if (!wanted.equals(rebootActions.get(key))) {
      monitors.execute(key, "set-action", Map.of("reboot", action));
      rebootActions.put(key, wanted);
    }
  }

  /** What somebody else has paused stays so: it is not the spec's to end. */
  private void pause(String key, MachineInputs in, String runState) throws IOException {
    PodFacts pod = in.pod().orElseThrow();
    boolean wanted = Boolean.TRUE.equals(in.spec().paused());
    if (wanted && runState.equals("running")) {
      note(pod, true, pod.met(Annotations.RESET_REQUESTED_AT));
      monitors.execute(key, "stop", Map.of());
    } else if (!wanted && pod.isPausedBySpec()) {
      if (runState.equals("paused")) {
        monitors.execute(key, "cont", Map.of());
      }
      note(pod, false, pod.met(Annotations.RESET_REQUESTED_AT));
    }
  }

  private void reset(String key, MachineInputs in) throws IOException {
    PodFacts pod = in.pod().orElseThrow();
    Optional<String> asked =
        in.request(Annotations.RESET_REQUESTED_AT)
            .filter(value -> !value.equals(pod.met(Annotations.RESET_REQUESTED_AT)));
    if (asked.isPresent()) {
      boolean paused = pod.isPausedBySpec();
      note(pod, paused, asked.get());
      monitors.execute(key, "system_reset", Map.of());
    }
  }

  private void note(PodFacts pod, boolean paused, String reset) {
    Map<String, String> annotations = new TreeMap<>();
    if (paused) {
      annotations.put(VmPod.PAUSED_ANNOTATION, "true");
    }
    if (!reset.isEmpty()) {
      annotations.put(Annotations.RESET_REQUESTED_AT, reset);
    }
    Pod note = VmPod.note(pod.pod(), annotations);
    client.resource(note).fieldManager(FIELD_MANAGER).forceConflicts().serverSideApply();
  }
}
