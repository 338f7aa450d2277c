package dev.qemuoperator.image;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.ImageConditions.PrePulled;
import dev.qemuoperator.api.ImageConditions.Ready;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import dev.qemuoperator.api.VirtualMachineImageStatus.Node;
import dev.qemuoperator.image.Users.Use;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.status.ConditionList;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The status of an image, and what an earlier one has pinned. */
final class ImageReport {

  private ImageReport() {}

  /**
   * What was found before for the present spec: its digest stays although a source may have
   * something newer by now. Not if another HostPathRoot has come or gone that decides.
   */
  static Optional<Resolution> pinned(VirtualMachineImage image, HostPathRoots roots) {
    return Optional.ofNullable(image.getStatus())
        .filter(status -> status.source() != null)
        .filter(
            status ->
                Objects.equals(status.observedGeneration(), image.getMetadata().getGeneration()))
        .filter(status -> Resolution.holds(image.getSpec(), roots, status.source()))
        .map(status -> Resolution.found(status.source(), Optional.ofNullable(status.digest())));
  }

  /** An annotation that is taken away asks for nothing. */
  static boolean isRefreshRequested(VirtualMachineImage image) {
    Optional<String> request = refreshRequest(image);
    return request.isPresent() && !request.equals(refreshedAt(image));
  }

  /**
   * @param prePulled what the nodes of spec.prePull have
   * @param uses of the image by VMs
   * @param nodes that have it, or will
   */
  static VirtualMachineImageStatus of(
      VirtualMachineImage image,
      HostPathRoots roots,
      Resolution resolution,
      Collection<Node> prePulled,
      Collection<Use> uses,
      List<Node> nodes,
      Instant now) {
    Optional<VirtualMachineImageStatus> before = Optional.ofNullable(image.getStatus());
    List<Condition> conditions =
        before.map(VirtualMachineImageStatus::conditions).orElse(List.of());
    boolean resolved = resolution.source().isPresent();
    boolean anew =
        resolution.problem().isEmpty()
            && (pinned(image, roots).isEmpty() || isRefreshRequested(image));
    Optional<String> known = before.map(VirtualMachineImageStatus::resolvedAt);
    return new VirtualMachineImageStatus(
        image.getMetadata().getGeneration(),
        ConditionList.of(
            verdicts(image, resolution, prePulled),
            conditions,
            image.getMetadata().getGeneration(),
            now),
        resolution.digest().orElse(null),
        resolution.source().orElse(null),
        resolved
            ? known
                .filter(at -> !anew)
                .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString())
            : null,
        (resolved && anew ? refreshRequest(image).or(() -> refreshedAt(image)) : refreshedAt(image))
            .orElse(null),
        (int) uses.stream().map(Use::machine).distinct().count(),
        nodes);
  }

  private static Map<String, Verdict> verdicts(
      VirtualMachineImage image, Resolution resolution, Collection<Node> prePulled) {
    Map<String, Verdict> verdicts = new LinkedHashMap<>();
    verdicts.put(Ready.TYPE, resolution.verdict());
    verdicts.put(PrePulled.TYPE, PrePull.verdict(image, resolution, prePulled));
    return verdicts;
  }

  static VirtualMachineImage statusOnly(
      VirtualMachineImage image, VirtualMachineImageStatus status) {
    VirtualMachineImage patch = new VirtualMachineImage();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withName(image.getMetadata().getName())
            .withUid(image.getMetadata().getUid())
            .build());
    patch.setStatus(status);
    return patch;
  }

  private static Optional<String> refreshedAt(VirtualMachineImage image) {
    return Optional.ofNullable(image.getStatus())
        .map(VirtualMachineImageStatus::refreshRequestedAt);
  }

  private static Optional<String> refreshRequest(VirtualMachineImage image) {
    return Optional.ofNullable(image.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(Annotations.REFRESH_REQUESTED_AT));
  }
}
