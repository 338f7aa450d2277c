package dev.qemuoperator.image;

import dev.qemuoperator.api.Annotations;
import dev.qemuoperator.api.ImageConditions.Ready;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageStatus;
import dev.qemuoperator.status.ConditionList;
import dev.qemuoperator.status.Verdict;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The status of an image, and what an earlier one has pinned. */
final class ImageReport {

  private ImageReport() {}

  /**
   * What was resolved before and still holds: its digest stays although a source may have something
   * newer by now, until the spec changes or a refresh is asked for.
   */
  static Optional<Resolution> pinned(VirtualMachineImage image) {
    return Optional.ofNullable(image.getStatus())
        .filter(status -> status.source() != null)
        .filter(
            status ->
                Objects.equals(status.observedGeneration(), image.getMetadata().getGeneration()))
        .filter(status -> Objects.equals(status.refreshRequestedAt(), refreshRequest(image)))
        .flatMap(
            status ->
                ConditionList.find(status.conditions(), Ready.TYPE)
                    .map(
                        ready ->
                            new Resolution(
                                Verdict.yes(ready.getReason(), ready.getMessage()),
                                Optional.of(status.source()),
                                Optional.ofNullable(status.digest()))));
  }

  static VirtualMachineImageStatus of(
      VirtualMachineImage image, Resolution resolution, int virtualMachines, Instant now) {
    Optional<VirtualMachineImageStatus> before = Optional.ofNullable(image.getStatus());
    List<Condition> conditions =
        before.map(VirtualMachineImageStatus::conditions).orElse(List.of());
    boolean resolved = resolution.source().isPresent();
    return new VirtualMachineImageStatus(
        image.getMetadata().getGeneration(),
        ConditionList.of(
            Map.of(Ready.TYPE, resolution.verdict()),
            conditions,
            image.getMetadata().getGeneration(),
            now),
        resolution.digest().orElse(null),
        resolution.source().orElse(null),
        resolved
            ? pinned(image)
                .flatMap(pin -> before.map(VirtualMachineImageStatus::resolvedAt))
                .orElseGet(() -> now.truncatedTo(ChronoUnit.SECONDS).toString())
            : null,
        resolved ? refreshRequest(image) : before.map(s -> s.refreshRequestedAt()).orElse(null),
        virtualMachines);
  }

  private static String refreshRequest(VirtualMachineImage image) {
    return Optional.ofNullable(image.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(Annotations.REFRESH_REQUESTED_AT))
        .orElse(null);
  }
}
