package dev.qemuoperator.e2e;

import dev.qemuoperator.api.Conditions;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.status.ConditionList;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How long a status said what was not so. To say that one does not know is honest; that it lasts no
 * longer than it must is for others to check. Without a leading operator nobody writes a status:
 * that time does not count, and its longest is told.
 */
final class Honesty {

  /**
   * A status that contradicted QEMU.
   *
   * @param lasted from the last look before it to the last look at it
   */
  record Lie(String vm, Instant since, Duration lasted, String claim, String truth) {

    @Override
    public String toString() {
      return "%s: %s while QEMU was %s, for %.1f s since %s"
          .formatted(vm, claim, truth, lasted.toMillis() / 1e3, since);
    }
  }

  private final Map<String, Lie> present = new HashMap<>();
  private Lie longest = new Lie("", Instant.EPOCH, Duration.ZERO, "", "");
  private Duration longestAbsence = Duration.ZERO;
  private Duration longestGap = Duration.ZERO;
  private Instant lastLook;
  private Instant operatorGone;
  private int looks;
  private String twice = "";

  /** A look at all VMs at once. */
  synchronized void look(
      Instant now,
      boolean operated,
      Map<String, VirtualMachineStatus> statuses,
      Map<String, List<String>> truth) {
    looks++;
    lastLook = lastLook == null ? now : lastLook;
    longestGap = max(longestGap, Duration.between(lastLook, now));
    truth.forEach((vm, states) -> noticeTwins(vm, now, states));
    if (operated) {
      operatorGone = null;
      statuses.forEach((vm, status) -> compare(vm, now, status, only(truth.get(vm))));
    } else {
      operatorGone = operatorGone == null ? lastLook : operatorGone;
      longestAbsence = max(longestAbsence, Duration.between(operatorGone, now));
      present.clear();
    }
    lastLook = now;
  }

  private void compare(String vm, Instant now, VirtualMachineStatus status, String truth) {
    Optional<String> claim = contradiction(status, truth);
    if (claim.isEmpty()) {
      present.remove(vm);
      return;
    }
    Instant since = Optional.ofNullable(present.get(vm)).map(Lie::since).orElse(lastLook);
    Lie lie = new Lie(vm, since, Duration.between(since, now), claim.get(), truth);
    present.put(vm, lie);
    longest = lie.lasted().compareTo(longest.lasted()) > 0 ? lie : longest;
  }

  private void noticeTwins(String vm, Instant now, List<String> states) {
    if (states.stream().filter("running"::equals).count() > 1) {
      twice = "%s at %s".formatted(vm, now);
    }
  }

  /** Of two processes one is being ended; the other runs the guest. */
  private static String only(List<String> states) {
    return states == null
        ? "absent"
        : states.stream().filter(s -> !s.equals(Truth.SILENT)).findFirst().orElse(Truth.SILENT);
  }

  /** What the status says that is not so; empty if it says nothing untrue. */
  static Optional<String> contradiction(VirtualMachineStatus status, String truth) {
    Condition running = ConditionList.find(status.conditions(), "Running").orElse(null);
    String runState = status.process() == null ? null : status.process().runState();
    if (runState != null && !truth.equals(Truth.SILENT) && !runState.equals(truth)) {
      return Optional.of("process.runState " + runState);
    }
    if (running == null) {
      return Optional.empty();
    }
    boolean runs = truth.equals("running");
    boolean untrue =
        running.getStatus().equals("True") && !runs
            || running.getStatus().equals("False")
                && runs
                && !running.getReason().equals(Conditions.Running.STOPPING);
    return Optional.of("Running=%s (%s)".formatted(running.getStatus(), running.getReason()))
        .filter(claim -> untrue);
  }

  synchronized Lie longest() {
    return longest;
  }

  /** The longest time without an operator that leads, as far as the looks can tell. */
  synchronized Duration longestAbsence() {
    return longestAbsence;
  }

  /** A guest that was seen to run twice at once; empty if none was. */
  synchronized String twice() {
    return twice;
  }

  /** The longest time without a look, up to now. */
  synchronized Duration longestGap(Instant now) {
    return lastLook == null ? Duration.ofDays(1) : max(longestGap, Duration.between(lastLook, now));
  }

  synchronized int looks() {
    return looks;
  }

  private static Duration max(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }
}
