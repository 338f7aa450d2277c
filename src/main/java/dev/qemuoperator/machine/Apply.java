package dev.qemuoperator.machine;

import static dev.qemuoperator.machine.MachineDecision.PodStep.KEEP;

import dev.qemuoperator.api.Conditions.Accepted;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.machine.MachineDecision.PodStep;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.VmObjects.DiskNotes;
import dev.qemuoperator.pod.VmPod;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.processing.dependent.kubernetes.SSABasedGenericKubernetesResourceMatcher;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Writes what differs, by server-side apply, and nothing else. */
final class Apply {

  private static final int UNPROCESSABLE = 422;

  /** Answers that a change of the manifest or of the cluster's policy must resolve, not a retry. */
  private static final Set<Integer> REFUSALS =
      Set.of(HttpURLConnection.HTTP_BAD_REQUEST, HttpURLConnection.HTTP_FORBIDDEN, UNPROCESSABLE);

  private final MachineInputs in;
  private final MachineDecision decision;
  private final PodStep step;
  private final Context<VirtualMachine> context;
  private final Map<String, String> refusedClaims = new TreeMap<>();
  private final Map<String, String> refusedPods = new TreeMap<>();

  Apply(MachineInputs in, MachineDecision decision, PodStep step, Context<VirtualMachine> context) {
    this.in = in;
    this.decision = decision;
    this.step = step;
    this.context = context;
  }

  /**
   * What came of it.
   *
   * @param refused what the API server had against a child object
   * @param liveRefused whether the cluster cannot change the CPU limit of the running pod
   * @param refusedClaims what the API server had against a larger claim, by the claim's name
   * @param refusedPods what it had against a pod that fetches a medium, by the pod's name
   */
  record Result(
      Optional<Verdict> refused,
      boolean liveRefused,
      Map<String, String> refusedClaims,
      Map<String, String> refusedPods) {

    static final Result NOTHING_WRITTEN = new Result(Optional.empty(), false, Map.of(), Map.of());

    /** Of a guest that does not run, nothing can be changed live. */
    static final Result UNTRIED = new Result(Optional.empty(), true, Map.of(), Map.of());
  }

  Result apply(DesiredState desired) {
    Optional<Verdict> refused = refusal(() -> applyAll(desired));
    boolean liveRefused = refused.isEmpty() && !resize(desired);
    applyMediumPods(desired.mediumPods());
    return new Result(refused, liveRefused, refusedClaims, refusedPods);
  }

  private static Optional<Verdict> refusal(Supplier<Optional<Verdict>> writing) {
    try {
      return writing.get();
    } catch (KubernetesClientException e) {
      if (!REFUSALS.contains(e.getCode())) {
        throw e;
      }
      return Optional.of(
          Verdict.no(Accepted.REFUSED, "The API server refused: " + wordsOfTheApiServer(e)));
    }
  }

  private static String wordsOfTheApiServer(KubernetesClientException e) {
    return Optional.ofNullable(e.getStatus())
        .map(status -> status.getMessage())
        .orElse(e.getMessage());
  }

  private Optional<Verdict> applyAll(DesiredState desired) {
    if (decision.isAccepted()) {
      for (PersistentVolumeClaim claim : desired.claims()) {
        Optional<PersistentVolumeClaim> actual =
            Optional.ofNullable(in.claims().get(claim.getMetadata().getName()));
        actual.ifPresentOrElse(
            known -> applyTo(known, claim), () -> writeIfDifferent(Optional.empty(), claim));
      }
    }
    Optional<Verdict> taken = Optional.empty();
    if (desired.seed().isPresent()) {
      taken = write(in.seed(), desired.seed().get());
    }
    if (taken.isEmpty()) {
      taken = write(in.tls(), desired.tls());
    }
    if (taken.isPresent()) {
      return taken;
    }
    // a guest starts and stops, whatever stands against its Service
    Optional<Verdict> service = refusal(() -> applyService(desired));
    return applyPod(desired).or(() -> service);
  }

  /** On a claim that is its owner's; one that has none and needs none is left alone. */
  private void note(PersistentVolumeClaim existing, PersistentVolumeClaim notes) {
    if (!DiskNotes.on(existing).equals(DiskNotes.on(notes))) {
      writeIfDifferent(Optional.of(existing), notes);
    }
  }

  /** A claim that must stay as small as it is keeps nothing else from being written. */
  private void applyTo(PersistentVolumeClaim actual, PersistentVolumeClaim wanted) {
    if (wanted.getSpec() == null) {
      note(actual, wanted);
      return;
    }
    PersistentVolumeClaim asMade = withSpecOf(wanted, actual);
    if (isToGrow(actual, wanted)) {
      try {
        writeIfDifferent(Optional.of(actual), withRequestOf(asMade, wanted));
        return;
      } catch (KubernetesClientException e) {
        if (!REFUSALS.contains(e.getCode())) {
          throw e;
        }
        refusedClaims.put(actual.getMetadata().getName(), wordsOfTheApiServer(e));
      }
    }
    writeIfDifferent(Optional.of(actual), asMade);
  }

  private Optional<Verdict> applyService(DesiredState desired) {
    if (desired.service().isPresent()) {
      return write(in.service(), desired.service().get());
    }
    if (in.service().filter(Ownership::isOrphan).isPresent()) {
      return Optional.of(Taken.by(in.identity(), in.service().get()));
    }
    in.service()
        .filter(service -> Ownership.belongsTo(in.identity(), service))
        .ifPresent(service -> context.getClient().resource(service).delete());
    return Optional.empty();
  }

  private Optional<Verdict> applyPod(DesiredState desired) {
    switch (step) {
      case CREATE -> {
        return write(Optional.empty(), desired.pod());
      }
      case DELETE -> {
        Pod pod = in.pod().orElseThrow().pod();
        context.getClient().resource(pod).delete();
      }
      case KEEP, WAIT, REST -> {
        // nothing to write; the next event of the pod brings the next pass
      }
    }
    return Optional.empty();
  }

  private void applyMediumPods(MediumPods pods) {
    pods.surplus().forEach(pod -> context.getClient().resource(pod).delete());
    for (Pod pod : pods.missing()) {
      try {
        context.getClient().resource(pod).create();
      } catch (KubernetesClientException e) {
        // the one that is there is not in the cache yet, or is being deleted
        if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
          continue;
        }
        if (!REFUSALS.contains(e.getCode())) {
          throw e;
        }
        refusedPods.put(pod.getMetadata().getName(), wordsOfTheApiServer(e));
      }
    }
  }

  /** Kubernetes 1.33 and later can change the CPU of a running pod. Returns whether it did so. */
  private boolean resize(DesiredState desired) {
    Optional<PodFacts> pod = in.pod().filter(running -> running.isRunning() && step == KEEP);
    Optional<Quantity> limit = desired.podFacts().cpuLimit();
    if (pod.isEmpty() || limit.isEmpty() || limit.equals(pod.get().cpuLimit())) {
      return true;
    }
    Container container = new Container();
    container.setName(VmPod.CONTAINER);
    container.setResources(VmPod.cpu(in.spec()));
    String patch = Serialization.asJson(Map.of("spec", Map.of("containers", List.of(container))));
    try {
      context
          .getClient()
          .resource(pod.get().pod())
          .subresource("resize")
          .patch(PatchContext.of(PatchType.STRATEGIC_MERGE), patch);
      return true;
    } catch (KubernetesClientException e) {
      if (!REFUSALS.contains(e.getCode()) && e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
        throw e;
      }
      return false;
    }
  }

  /** Only the request of a claim that is bound can change, and it can only grow. */
  private static boolean isToGrow(PersistentVolumeClaim actual, PersistentVolumeClaim wanted) {
    return actual.getStatus() != null
        && "Bound".equals(actual.getStatus().getPhase())
        && request(actual).getNumericalAmount().compareTo(request(wanted).getNumericalAmount()) < 0;
  }

  private static Quantity request(PersistentVolumeClaim claim) {
    return claim.getSpec().getResources().getRequests().get("storage");
  }

  private static PersistentVolumeClaim withRequestOf(
      PersistentVolumeClaim claim, PersistentVolumeClaim wanted) {
    return claim
        .edit()
        .editSpec()
        .editResources()
        .addToRequests("storage", request(wanted))
        .endResources()
        .endSpec()
        .build();
  }

  /** A claim's spec is immutable; what was asked for when it was made stays. */
  private static PersistentVolumeClaim withSpecOf(
      PersistentVolumeClaim wanted, PersistentVolumeClaim actual) {
    return wanted
        .edit()
        .editSpec()
        .withStorageClassName(actual.getSpec().getStorageClassName())
        .withAccessModes(actual.getSpec().getAccessModes())
        .withResources(actual.getSpec().getResources())
        .endSpec()
        .build();
  }

  /**
   * An object that the caches do not know may be somebody else's: it is looked at before it is
   * written to, because server-side apply would take it over.
   */
  private <T extends HasMetadata> Optional<Verdict> write(Optional<T> cached, T desired) {
    Optional<T> actual =
        cached.isPresent()
            ? cached
            : Optional.ofNullable(context.getClient().resource(desired).get());
    if (actual.isPresent() && !Ownership.belongsTo(in.identity(), actual.get())) {
      return Optional.of(Taken.by(in.identity(), actual.get()));
    }
    writeIfDifferent(actual, desired);
    return Optional.empty();
  }

  private <T extends HasMetadata> void writeIfDifferent(Optional<T> actual, T desired) {
    boolean same =
        actual
            .filter(
                object ->
                    SSABasedGenericKubernetesResourceMatcher.<T>getInstance()
                        .matches(object, desired, context))
            .isPresent();
    if (!same) {
      context
          .getClient()
          .resource(desired)
          .fieldManager(context.getControllerConfiguration().fieldManager())
          .forceConflicts()
          .serverSideApply();
    }
  }
}
