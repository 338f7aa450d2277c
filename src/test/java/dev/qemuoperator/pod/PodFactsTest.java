package dev.qemuoperator.pod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.pod.PodFacts.FetchProblem;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import org.junit.jupiter.api.Test;

class PodFactsTest {

  private static final String RUNNING =
      "status: {containerStatuses: [{name: qemu, containerID: c1, restartCount: 2, state: {running:"
          + " {startedAt: '2026-01-01T12:00:00Z'}}, lastState: {terminated: {exitCode: 1}}}]}\n";

  @Test
  void podWithoutAStatusSaysNothingAndBreaksNothing() {
    PodFacts pod = pod("");
    assertThat(pod.isRunning()).isFalse();
    assertThat(pod.hasStarted()).isFalse();
    assertThat(pod.isOver()).isFalse();
    assertThat(pod.isReady()).isFalse();
    assertThat(pod.isLost()).isFalse();
    assertThat(pod.address()).isEmpty();
    assertThat(pod.addresses()).isEmpty();
    assertThat(pod.fetchProblem()).isEmpty();
    assertThat(pod.runnerPullProblem()).isEmpty();
    assertThat(pod.unschedulable()).isEmpty();
    assertThat(pod.lastTermination()).isEmpty();
    assertThat(pod.template()).isEmpty();
    assertThat(pod.containerId()).isEmpty();
    assertThat(pod.restarts()).isZero();
    assertThat(pod.until("Ready")).isEmpty();
  }

  @Test
  void runningContainerRemembersHowItEndedBefore() {
    PodFacts pod = pod(RUNNING);
    assertThat(pod.isRunning()).isTrue();
    assertThat(pod.hasStarted()).isTrue();
    assertThat(pod.restarts()).isEqualTo(2);
    assertThat(pod.lastTermination()).hasValueSatisfying(e -> assertThat(e.getExitCode()).isOne());
    assertThat(pod.waiting()).isEmpty();
  }

  @Test
  void presentEndCountsBeforeAnEarlierOne() {
    PodFacts pod =
        pod(
            "status: {containerStatuses: [{name: qemu, state: {terminated: {exitCode: 3}}, lastState:"
                + " {terminated: {exitCode: 1}}}]}\n");
    assertThat(pod.lastTermination())
        .hasValueSatisfying(e -> assertThat(e.getExitCode()).isEqualTo(3));
  }

  @Test
  void podMadeByAnImageThatDoesNotComeHasNotStarted() {
    PodFacts pod =
        pod(
            "status: {containerStatuses: [{name: qemu, state: {waiting: {reason: ErrImagePull}}}]}\n");
    assertThat(pod.hasStarted()).isFalse();
    assertThat(pod.runnerPullProblem().map(ContainerStateWaiting::getReason))
        .contains("ErrImagePull");
  }

  @Test
  void diskImageThatDoesNotComeIsNoProblemOfTheRunner() {
    PodFacts pod =
        pod(
            "status: {initContainerStatuses: [{name: image-root, state: {waiting: {reason:"
                + " ImagePullBackOff, message: no such image}}}]}\n");
    assertThat(pod.runnerPullProblem()).isEmpty();
    assertThat(pod.fetchProblem())
        .contains(new FetchProblem("root", "ImagePullBackOff", "no such image"));
  }

  @Test
  void fetchThatIsTriedAgainIsNoProblemNow() {
    PodFacts pod =
        pod(
            "status: {initContainerStatuses: [{name: image-root, state: {running: {}}, lastState:"
                + " {terminated: {exitCode: 1}}}]}\n");
    assertThat(pod.fetchProblem()).isEmpty();
    assertThat(pod.hasFetched("root")).isFalse();
    assertThat(pod.fetches()).containsExactly("root");
  }

  @Test
  void containerStatusWithoutAStateIsNoFetch() {
    PodFacts pod = pod("status: {initContainerStatuses: [{name: image-root}]}\n");
    assertThat(pod.hasFetched("root")).isFalse();
    assertThat(pod.fetchProblem()).isEmpty();
  }

  @Test
  void evictedPodSaysWhy() {
    PodFacts pod = pod("status: {phase: Failed, reason: Evicted, message: The node was low.}\n");
    assertThat(pod.isOver()).isTrue();
    assertThat(pod.overBecause()).isEqualTo("Evicted: The node was low.");
  }

  @Test
  void podThatTheTaintManagerDeletesIsLost() {
    String taint =
        "status: {conditions: [{type: DisruptionTarget, status: 'True', reason:"
            + " DeletionByTaintManager}]}\n";
    assertThat(pod(taint).isLost()).isFalse();
    PodFacts deleted = pod(taint);
    deleted.pod().getMetadata().setDeletionTimestamp("2026-01-01T12:00:00Z");
    assertThat(deleted.isLost()).isTrue();
  }

  private static PodFacts pod(String status) {
    return new PodFacts(
        Serialization.unmarshal(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, creationTimestamp: "2026-01-01T11:59:00Z"}
            spec:
              initContainers: [{name: image-root, image: debian}]
              containers: [{name: qemu, image: runner}]
            """
                + status,
            Pod.class));
  }
}
