package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;

/** What the guest's process really does. Built from nothing at each pass; times are RFC 3339. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record VirtualMachineStatus(
    @JsonPropertyDescription("metadata.generation that this status speaks of.")
        Long observedGeneration,
    @JsonPropertyDescription("One word for people, derived from the conditions.") String state,
    List<Condition> conditions,
    String nodeName,
    String podName,
    Process process,
    LastExit lastExit,
    List<Network> networks,
    List<Disk> disks,
    List<Cdrom> cdroms,
    CloudInit cloudInit,
    Guest guest,
    Resources resources,
    BootTimings bootTimings,
    @JsonPropertyDescription(
            "What the spec says and the running guest does not have yet, field by field.")
        List<PendingChange> pendingChanges,
    Actions actions) {

  /** observedGeneration of the API server's own, of a VM that no operator has looked at yet. */
  public static final long NOTHING_OBSERVED = -1;

  /**
   * The guest's process. Absent until one was started in this pod; what QEMU says of itself is
   * absent while it cannot be asked.
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Process(
      @JsonPropertyDescription(
              "QEMU's RunState, such as running, paused, io-error, guest-panicked, shutdown.")
          String runState,
      @JsonPropertyDescription("When the pod's container started.") String startedAt,
      @JsonPropertyDescription("KVM or TCG.") String accelerator,
      String qemuVersion,
      @JsonPropertyDescription("How often the kubelet has restarted it in this pod.")
          Integer restarts,
      @JsonPropertyDescription(
              "How often its power button was pressed, while the operator listened.")
          Integer powerButtonPresses,
      @JsonPropertyDescription("The guest's last start without a new process.") Reset lastReset) {}

  /** A reset inside the running process, seen while the operator listened. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Reset(
      @JsonPropertyDescription(
              "GuestReset: the guest rebooted; Watchdog: it did not feed its watchdog; Requested: by"
                  + " annotation, or by somebody at QEMU's monitor.")
          String cause,
      String at) {}

  /** How the guest's process ended last. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record LastExit(
      @JsonPropertyDescription(
              "GuestShutdown, GuestReset, GuestPanic, Watchdog, Requested, HostSignal, IOError,"
                  + " OutOfMemory, QemuError, Evicted, NodeLost or Unknown.")
          String cause,
      @JsonPropertyDescription(
              "Exit code of QEMU; 128 + N: ended by signal N; 70: the pod could not start it.")
          Integer exitCode,
      String at,
      @JsonPropertyDescription("What happened, and what to do if anything.") String message,
      @JsonPropertyDescription("After a panic: the last lines of the guest's console.")
          String console,
      @JsonPropertyDescription(
              "What it took to stop it, in this order: PowerButton, PowerButtonAgain, Quit, Kill.")
          List<String> stopSteps) {}

  /** A network card. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Network(
      String name,
      String macAddress,
      @JsonPropertyDescription("Where the guest is reached.") List<String> addresses,
      @JsonPropertyDescription(
              "Who says so. Pod: Kubernetes, of the pod, behind which the guest is. Assigned: the operator, which"
                  + " has given it to the guest; whether the guest has taken it is not known. Guest: the guest"
                  + " itself, at the end of cloud-init and whenever its addresses change. Observed: the pod, which"
                  + " has seen the guest use them on the LAN, by ARP and IPv6 neighbour discovery. Absent: nobody.")
          String source) {

    public static final String POD = "Pod";
    public static final String ASSIGNED = "Assigned";
    public static final String GUEST = "Guest";
    public static final String OBSERVED = "Observed";
  }

  /** A disk. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Disk(
      String name,
      @JsonPropertyDescription("The PersistentVolumeClaim; absent for ephemeral disks.")
          String claim,
      @JsonPropertyDescription(
              "Size as the guest sees it now, read from QEMU; absent while QEMU cannot be asked.")
          Quantity capacity,
      @JsonPropertyDescription(
              "Where the base image comes from: a VirtualMachineImage, a URL, a container image, or"
                  + " PersistentVolumeClaim/NAME:PATH.")
          String image,
      @JsonPropertyDescription(
              "Of the base image's file that the disk was made from, sha256:<64 hex digits>.")
          String digest,
      @JsonPropertyDescription(
              "Of a disk on a claim: whether the base image has been copied into it, so that it needs no"
                  + " node's cache any more.")
          Boolean selfContained,
      @JsonPropertyDescription(
              "How far the base image has come to the node, such as fetched: 40 %; then how far the copying"
                  + " is, such as 40 %, or why it ended early.")
          String progress) {}

  /** A CD-ROM drive with a medium: of a running guest, what QEMU says is in it. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Cdrom(
      String name,
      @JsonPropertyDescription(
              "Where the medium comes from: a VirtualMachineImage or a URL. Absent of one that was put in"
                  + " while the guest runs, and that the spec does not name any more.")
          String image,
      @JsonPropertyDescription("Of the medium's file, sha256:<64 hex digits>.") String digest,
      @JsonPropertyDescription("How far the medium has come to the node, such as fetched: 40 %.")
          String progress) {}

  /** The seed disk. The hashes are over its files; equal hashes: the guest has what is wanted. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record CloudInit(
      @JsonPropertyDescription("Hash of the seed that the sources make now.") String desiredHash,
      @JsonPropertyDescription("Hash of the seed that the running QEMU has, read back from it.")
          String bootedHash,
      @JsonPropertyDescription("The instance-id of the seed that the sources make now.")
          String instanceId,
      @JsonPropertyDescription(
              "When cloud-init ended in this boot, by the guest's clock if that can be so, else when the"
                  + " operator read of it.")
          String finishedAt,
      @JsonPropertyDescription(
              "How it ended: done, degraded (it warned) or error; see cloud-init status --long in the guest.")
          String result,
      @JsonPropertyDescription("The first of its errors or warnings, in cloud-init's words.")
          String message) {}

  /**
   * What the guest says about itself at the end of cloud-init, in this boot. Its word only: a guest
   * may lie.
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Guest(
      String hostname,
      @JsonPropertyDescription("PRETTY_NAME of /etc/os-release.") String osName,
      @JsonPropertyDescription("Release of the running kernel.") String kernel,
      @JsonPropertyDescription("Addresses of the guest's own cards, without link-local ones.")
          List<String> addresses,
      @JsonPropertyDescription(
              "Public host keys, such as ssh-ed25519 AAAA…, for a known_hosts file.")
          List<String> sshHostKeys) {}

  /** A difference between the spec and the running guest. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record PendingChange(
      @JsonPropertyDescription(
              "Such as spec.cpu.cores or spec.disks[root].size; operator: what the operator itself now"
                  + " makes differently.")
          String field,
      @JsonPropertyDescription("What the running guest has; absent: nothing.") String running,
      @JsonPropertyDescription("What the spec says; absent: nothing.") String desired,
      @JsonPropertyDescription(
              "Live: while the guest runs, as soon as it can be. NextBoot: by the next power cycle, or by"
                  + " the guest's own reboot. Never: a disk keeps what it was made from; only a new one"
                  + " would have it.")
          String applies,
      @JsonPropertyDescription(
              "What a live change waits for: ClaimExpanding, CopyingBaseImage, FetchingMedium, TrayLocked; or"
                  + " why it is not applied: ClaimTooSmall, ClaimRefused, ClaimExpansionFailed,"
                  + " MediumUnavailable, QemuRefused. Absent: for nothing.")
          String reason,
      @JsonPropertyDescription("That, and what to do if anything.") String message) {}

  /** The values of one-shot annotations that were acted on last. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Actions(
      @JsonPropertyDescription("Of qemu-operator.dev/restart-requested-at.")
          String restartRequestedAt,
      @JsonPropertyDescription("Of qemu-operator.dev/reset-requested-at.")
          String resetRequestedAt) {}

  /** Memory. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Resources(
      Quantity guestMemory,
      @JsonPropertyDescription("What the pod has beside the guest's RAM, for QEMU.")
          Quantity overhead) {}

  /** From the creation of the pod, in whole seconds, such as 4s, as the API server's times are. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record BootTimings(
      String scheduled,
      @JsonPropertyDescription("All base images were there.") String disksReady,
      String processStarted,
      String ready) {}
}
