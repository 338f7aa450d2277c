package dev.qemuoperator.machine;

import dev.qemuoperator.pod.ImageFetch;
import dev.qemuoperator.pod.MediumPod;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodSettings;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The pods that bring media to the node of a guest that runs.
 *
 * @param missing those to be made
 * @param surplus those whose medium is in its drive or is not wanted any more, and those that their
 *     node has given up
 */
record MediumPods(List<Pod> missing, List<Pod> surplus) {

  static MediumPods of(MachineInputs in, PodSettings settings) {
    List<Pod> wanted =
        MediumChange.of(in, Map.of()).stream()
            .flatMap(change -> pod(in, change, settings))
            .toList();
    List<String> names = wanted.stream().map(MediumPods::name).toList();
    List<String> present =
        in.mediumPods().stream().map(PodFacts::pod).map(MediumPods::name).toList();
    return new MediumPods(
        wanted.stream().filter(pod -> !present.contains(name(pod))).toList(),
        in.mediumPods().stream()
            .filter(pod -> !pod.isDeleting())
            .filter(pod -> pod.isOver() || !(names.contains(name(pod.pod())) || isUnknown(in)))
            .map(PodFacts::pod)
            .toList());
  }

  /** While QEMU cannot be asked, nobody knows what is in its drives. */
  private static boolean isUnknown(MachineInputs in) {
    return in.guestRunsOn() && MediumChange.drives(in).isEmpty();
  }

  private static Stream<Pod> pod(MachineInputs in, MediumChange change, PodSettings settings) {
    String drive = change.cdrom().name();
    return change.fetch().stream()
        .flatMap(
            origin ->
                in.pod().flatMap(PodFacts::nodeName).stream()
                    .map(
                        node ->
                            MediumPod.build(
                                in.identity(),
                                drive,
                                node,
                                in.spec().tolerations(),
                                new ImageFetch(settings, Map.of(drive, origin), in.keptBases()))));
  }

  private static String name(Pod pod) {
    return pod.getMetadata().getName();
  }
}
