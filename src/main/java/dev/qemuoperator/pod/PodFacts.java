package dev.qemuoperator.pod;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Stream;

/**
 * What a Pod's status says, in the words that decisions need.
 *
 * @param pod as the API server has it
 */
public record PodFacts(Pod pod) {

  /** Exit code of the wrapper that could not start QEMU. */
  private static final int NOT_STARTED = 70;

  private static final Set<String> EVICTIONS =
      Set.of("EvictionByEvictionAPI", "PreemptionByScheduler", "TerminationByKubelet");

  /**
   * A base image that does not come.
   *
   * @param disk name of the disk
   * @param reason the kubelet's word while it waits, such as ErrImagePull; empty if the fetch
   *     failed
   * @param message the kubelet's message, or the fetcher's termination message
   */
  public record FetchProblem(String disk, String reason, String message) {}

  public boolean isDeleting() {
    return pod.getMetadata().getDeletionTimestamp() != null;
  }

  /** Whether the pod has ended as a whole: by its restart policy, an eviction or its node. */
  public boolean isOver() {
    return List.of("Failed", "Succeeded").contains(phase());
  }

  /** Whether the guest powered itself off, as far as the kubelet can tell, and the pod with it. */
  public boolean hasSucceeded() {
    return "Succeeded".equals(phase());
  }

  /** Whether the guest itself was started, as opposed to the preparations for it. */
  public boolean hasRunGuest() {
    return lastTermination().filter(ended -> ended.getExitCode() != NOT_STARTED).isPresent();
  }

  /** Whether the kubelet, and not a person, put an end to the pod as a whole. */
  public boolean isEvicted() {
    return "Evicted".equals(reason()) || disruption().filter(EVICTIONS::contains).isPresent();
  }

  private String reason() {
    return pod.getStatus() == null ? "" : text(pod.getStatus().getReason());
  }

  /** Why Kubernetes itself ends the pod, see the condition DisruptionTarget of pods. */
  private Optional<String> disruption() {
    return condition("DisruptionTarget")
        .filter(condition -> "True".equals(condition.getStatus()))
        .map(PodCondition::getReason);
  }

  /** Hash of the template that the pod was made from. */
  public String template() {
    return annotation(VmPod.TEMPLATE_ANNOTATION);
  }

  /** Hash of what the pod fetches before it starts QEMU. */
  public String fetchTemplate() {
    return annotation(VmPod.FETCH_ANNOTATION);
  }

  /** Hash of the nodes that the pod was kept to, for its LANs; empty if it may be anywhere. */
  public String nodesTemplate() {
    return annotation(LanPlaces.ANNOTATION);
  }

  /** The fields of the spec that the pod was made from, see {@link SpecFields}. */
  public SortedMap<String, String> specFields() {
    return SpecFields.read(annotation(VmPod.SPEC_ANNOTATION));
  }

  /** Of a one-shot annotation of the VM: the value that was acted on; empty if none was. */
  public String met(String request) {
    return annotation(request);
  }

  /** Whether the operator has stopped the guest's CPUs because spec.paused said so. */
  public boolean isPausedBySpec() {
    return "true".equals(annotation(VmPod.PAUSED_ANNOTATION));
  }

  /** CPU limit of QEMU's container. */
  public Optional<Quantity> cpuLimit() {
    return Optional.ofNullable(pod.getSpec().getContainers().getFirst().getResources())
        .map(ResourceRequirements::getLimits)
        .map(limits -> limits.get("cpu"));
  }

  /** The limit that the kubelet has put into effect; that of the pod's spec where it says none. */
  public Optional<Quantity> actualCpuLimit() {
    return qemu()
        .map(ContainerStatus::getResources)
        .map(actual -> Optional.ofNullable(actual.getLimits()).map(limits -> limits.get("cpu")))
        .orElseGet(this::cpuLimit);
  }

  /** Time since the pod was made. */
  public Duration age(Instant now) {
    return Duration.between(Instant.parse(pod.getMetadata().getCreationTimestamp()), now);
  }

  private String annotation(String name) {
    return Optional.ofNullable(pod.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(name))
        .orElse("");
  }

  /** Status reason and message of a pod that is over, such as Evicted. */
  public String overBecause() {
    return Optional.ofNullable(pod.getStatus().getReason()).orElse(phase())
        + Optional.ofNullable(pod.getStatus().getMessage()).map(m -> ": " + m).orElse("");
  }

  private String phase() {
    return pod.getStatus() == null || pod.getStatus().getPhase() == null
        ? ""
        : pod.getStatus().getPhase();
  }

  /** The scheduler's words if no node fits. */
  public Optional<String> unschedulable() {
    return condition("PodScheduled")
        .filter(condition -> "Unschedulable".equals(condition.getReason()))
        .map(PodCondition::getMessage);
  }

  public boolean isReady() {
    return condition("Ready").filter(c -> "True".equals(c.getStatus())).isPresent();
  }

  /** The pod's first address. */
  public Optional<String> address() {
    return Optional.ofNullable(pod.getStatus()).map(s -> s.getPodIP()).filter(a -> !a.isEmpty());
  }

  /** All addresses, of both families if the cluster has them. */
  public List<String> addresses() {
    return pod.getStatus() == null
        ? List.of()
        : pod.getStatus().getPodIPs().stream().map(ip -> ip.getIp()).toList();
  }

  public Optional<String> nodeName() {
    return Optional.ofNullable(pod.getSpec().getNodeName());
  }

  /** Whether QEMU's container runs now. */
  public boolean isRunning() {
    return qemu().map(ContainerStatus::getState).map(ContainerState::getRunning).isPresent();
  }

  /** Whether QEMU's container has ever been started in this pod. */
  public boolean hasStarted() {
    return isRunning() || lastTermination().isPresent();
  }

  /** Whether it has a node, and its containers wait for volumes, or for what comes before them. */
  public boolean waitsForVolumes() {
    return nodeName().isPresent()
        && !hasStarted()
        && condition("PodReadyToStartContainers")
            .filter(ready -> "True".equals(ready.getStatus()))
            .isEmpty()
        && inits().stream()
            .flatMap(init -> Stream.ofNullable(init.getState()))
            .allMatch(state -> state.getWaiting() != null);
  }

  /** Identifies this run of the container. */
  public String containerId() {
    return qemu().map(ContainerStatus::getContainerID).orElse("");
  }

  public int restarts() {
    return qemu().map(ContainerStatus::getRestartCount).orElse(0);
  }

  public Optional<String> startedAt() {
    return qemu()
        .map(ContainerStatus::getState)
        .map(ContainerState::getRunning)
        .map(running -> running.getStartedAt());
  }

  /** Whether a {@link MediumPod} has brought its medium, and holds it in the node's cache. */
  public boolean isHolding() {
    return container(MediumPod.CONTAINER)
        .map(ContainerStatus::getState)
        .map(ContainerState::getRunning)
        .isPresent();
  }

  /** Why QEMU's container does not run, in the kubelet's words. */
  public Optional<ContainerStateWaiting> waiting() {
    return qemu().map(ContainerStatus::getState).map(ContainerState::getWaiting);
  }

  /** How QEMU's container ended last in this pod. */
  public Optional<ContainerStateTerminated> lastTermination() {
    Optional<ContainerStateTerminated> now =
        qemu().map(ContainerStatus::getState).map(ContainerState::getTerminated);
    return now.or(
            () -> qemu().map(ContainerStatus::getLastState).map(ContainerState::getTerminated))
        .map(this::dated);
  }

  /** A kubelet that lost track of a container, as after a reboot of the node, gives it no times. */
  private ContainerStateTerminated dated(ContainerStateTerminated ended) {
    return ended.getFinishedAt() != null
        ? ended
        : ended.edit().withFinishedAt(pod.getMetadata().getCreationTimestamp()).build();
  }

  /** Disks whose base image is fetched by this pod. */
  public List<String> fetches() {
    return pod.getSpec().getInitContainers().stream()
        .map(init -> init.getName())
        .filter(name -> name.startsWith(ImageFetch.INIT_PREFIX))
        .map(name -> name.substring(ImageFetch.INIT_PREFIX.length()))
        .toList();
  }

  /** Disks whose base image comes to the node just now. */
  public List<String> fetching() {
    return inits().stream()
        .filter(status -> status.getName().startsWith(ImageFetch.INIT_PREFIX))
        .filter(status -> status.getState() != null && status.getState().getRunning() != null)
        .map(status -> status.getName().substring(ImageFetch.INIT_PREFIX.length()))
        .toList();
  }

  /** Whether the base image of a disk has been fetched by this pod. */
  public boolean hasFetched(String disk) {
    return fetched(disk).isPresent();
  }

  /** What was said when the base image of a disk had been fetched by this pod. */
  public Optional<ContainerStateTerminated> fetched(String disk) {
    return inits().stream()
        .filter(status -> status.getName().equals(ImageFetch.INIT_PREFIX + disk))
        .flatMap(status -> Stream.ofNullable(status.getState()))
        .flatMap(state -> Stream.ofNullable(state.getTerminated()))
        .filter(ended -> ended.getExitCode() == 0)
        .findFirst();
  }

  /** Why the runner's image does not come; it is QEMU's and that of some init containers. */
  public Optional<ContainerStateWaiting> runnerPullProblem() {
    String runner = pod.getSpec().getContainers().getFirst().getImage();
    return Stream.concat(inits().stream(), qemu().stream())
        .filter(status -> runner.equals(imageOf(status.getName())))
        .flatMap(status -> Optional.ofNullable(status.getState()).stream())
        .flatMap(state -> Stream.ofNullable(state.getWaiting()))
        .filter(PodFacts::isPullProblem)
        .findFirst();
  }

  private String imageOf(String container) {
    return Stream.concat(
            pod.getSpec().getInitContainers().stream(), pod.getSpec().getContainers().stream())
        .filter(spec -> spec.getName().equals(container))
        .map(spec -> spec.getImage())
        .findFirst()
        .orElse("");
  }

  /**
   * Whether the pod ends because its node does not answer, as far as the control plane can tell.
   */
  public boolean isLost() {
    return isDeleting()
        && ("NodeLost".equals(reason())
            || disruption().filter("DeletionByTaintManager"::equals).isPresent());
  }

  /**
   * Whether the control plane has heard nothing of the node for a while: it then says that the pod
   * is not ready, and leaves what the kubelet said last of the containers.
   */
  public boolean isNodeSilent() {
    return condition("Ready").filter(ready -> "False".equals(ready.getStatus())).isPresent()
        && condition("ContainersReady").filter(c -> "True".equals(c.getStatus())).isPresent();
  }

  /** The first base image that failed to come and is tried again. */
  public Optional<FetchProblem> fetchProblem() {
    return inits().stream()
        .filter(status -> status.getName().startsWith(ImageFetch.INIT_PREFIX))
        .flatMap(status -> problem(status).stream())
        .findFirst();
  }

  private static Optional<FetchProblem> problem(ContainerStatus status) {
    String disk = status.getName().substring(ImageFetch.INIT_PREFIX.length());
    ContainerState state = status.getState();
    if (state == null) {
      return Optional.empty();
    }
    ContainerStateWaiting waiting = state.getWaiting();
    if (waiting != null && isPullProblem(waiting)) {
      return Optional.of(new FetchProblem(disk, waiting.getReason(), text(waiting.getMessage())));
    }
    ContainerStateTerminated ended = state.getTerminated();
    if (ended == null && status.getLastState() != null && state.getRunning() == null) {
      ended = status.getLastState().getTerminated();
    }
    return Optional.ofNullable(ended)
        .filter(terminated -> terminated.getExitCode() != 0)
        .map(terminated -> new FetchProblem(disk, "", text(terminated.getMessage())));
  }

  /** Whether a waiting container waits because its image does not come. */
  public static boolean isPullProblem(ContainerStateWaiting waiting) {
    return List.of("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
        .contains(waiting.getReason());
  }

  /** Time from the pod's creation to a condition's becoming true. */
  public Optional<Duration> until(String conditionType) {
    return condition(conditionType)
        .filter(condition -> "True".equals(condition.getStatus()))
        .map(PodCondition::getLastTransitionTime)
        .map(this::sinceCreation);
  }

  /** Time from the pod's creation to a moment, RFC 3339. */
  public Duration sinceCreation(String moment) {
    return Duration.between(
        Instant.parse(pod.getMetadata().getCreationTimestamp()), Instant.parse(moment));
  }

  private Optional<PodCondition> condition(String type) {
    return pod.getStatus() == null
        ? Optional.empty()
        : pod.getStatus().getConditions().stream()
            .filter(condition -> condition.getType().equals(type))
            .findFirst();
  }

  private Optional<ContainerStatus> qemu() {
    return container(VmPod.CONTAINER);
  }

  private Optional<ContainerStatus> container(String name) {
    return pod.getStatus() == null
        ? Optional.empty()
        : pod.getStatus().getContainerStatuses().stream()
            .filter(status -> status.getName().equals(name))
            .findFirst();
  }

  private List<ContainerStatus> inits() {
    return pod.getStatus() == null ? List.of() : pod.getStatus().getInitContainerStatuses();
  }

  private static String text(String message) {
    return message == null ? "" : message;
  }
}
