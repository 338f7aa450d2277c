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
    CloudInit cloudInit,
    Resources resources,
    BootTimings bootTimings) {

  /** QEMU's process, as it says itself over QMP. Absent while there is none to ask. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Process(
      @JsonPropertyDescription(
              "QEMU's RunState, such as running, paused, io-error, guest-panicked, shutdown.")
          String runState,
      @JsonPropertyDescription("When the pod's container started.") String startedAt,
      @JsonPropertyDescription("KVM or TCG.") String accelerator,
      String qemuVersion,
      @JsonPropertyDescription("How often the kubelet has restarted it in this pod.")
          Integer restarts) {}

  /** How the guest's process ended last. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record LastExit(
      @JsonPropertyDescription(
              "GuestShutdown, GuestReset, GuestPanic, Requested, HostSignal, OutOfMemory or"
                  + " QemuError.")
          String cause,
      @JsonPropertyDescription(
              "Exit code of QEMU; 128 + N: ended by signal N; 70: the pod could not start it.")
          Integer exitCode,
      String at,
      @JsonPropertyDescription("What happened, and what to do if anything.") String message) {}

  /** A network card. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Network(
      String name,
      String macAddress,
      @JsonPropertyDescription("Where the guest is reached. On the pod network: the pod's address.")
          List<String> addresses) {}

  /** A disk. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Disk(
      String name,
      @JsonPropertyDescription("The PersistentVolumeClaim; absent for ephemeral disks.")
          String claim,
      @JsonPropertyDescription("Capacity of the bound volume.") Quantity capacity,
      @JsonPropertyDescription("Where the base image comes from.") String image) {}

  /** The seed disk. The hashes are over its files; equal hashes: the guest has what is wanted. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record CloudInit(
      @JsonPropertyDescription("Hash of the seed that the sources make now.") String desiredHash,
      @JsonPropertyDescription("Hash of the seed that the running QEMU has, read back from it.")
          String bootedHash,
      @JsonPropertyDescription("The instance-id of the seed that the sources make now.")
          String instanceId) {}

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
