package dev.qemuoperator.pod;

import dev.qemuoperator.api.ReadinessProbe;
import dev.qemuoperator.api.RunStrategy;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.qemu.Attachment;
import dev.qemuoperator.qemu.Attachment.BaseImage;
import dev.qemuoperator.qemu.Attachment.ClaimDevice;
import dev.qemuoperator.qemu.Attachment.ClaimVolume;
import dev.qemuoperator.qemu.Attachment.EphemeralVolume;
import dev.qemuoperator.qemu.Attachment.MemoryVolume;
import dev.qemuoperator.qemu.Attachment.NodeProcesses;
import dev.qemuoperator.qemu.Attachment.SecretVolume;
import dev.qemuoperator.qemu.Attachment.WrapperOption;
import dev.qemuoperator.qemu.Hardware;
import dev.qemuoperator.qemu.MemoryBudget;
import dev.qemuoperator.qemu.VmIdentity;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.HTTPGetAction;
import io.fabric8.kubernetes.api.model.HTTPGetActionBuilder;
import io.fabric8.kubernetes.api.model.HTTPHeader;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.TCPSocketActionBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeDevice;
import io.fabric8.kubernetes.api.model.VolumeDeviceBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The pod of a VM. Its name is the VM's: two pods for one VM cannot exist.
 *
 * <p>The container {@code qemu} is privileged, as opening /dev/kvm without a device plugin demands;
 * its PID 1 starts QEMU as uid 107 without a capability. Its {@code args} are QEMU's own command
 * line.
 */
public final class VmPod {

  public static final String CONTAINER = "qemu";

  /** Says from which template a running pod was made. */
  public static final String TEMPLATE_ANNOTATION = "qemu-operator.dev/template";

  /** Says what a pod fetches before it starts QEMU. */
  public static final String FETCH_ANNOTATION = "qemu-operator.dev/fetch";

  /** Says from which fields a pod was made, see {@link SpecFields}. */
  static final String SPEC_ANNOTATION = "qemu-operator.dev/spec";

  /** On a pod: the operator has stopped the guest's CPUs because spec.paused said so. */
  public static final String PAUSED_ANNOTATION = "qemu-operator.dev/paused";

  private static final Pattern DISK_OPTION = Pattern.compile("^(--disk=[^:]+):.+$");
  private static final Pattern MEDIUM_OPTION = Pattern.compile("--cdrom=.+");
  private static final Pattern MEDIUM_ARGUMENT = Pattern.compile(",drive=cdrom-[^,]+");

  private static final long QEMU_USER = 107;

  private final ImageFetch fetch;
  private final Map<String, Volume> volumes = new LinkedHashMap<>();
  private final List<VolumeMount> mounts = new ArrayList<>();
  private final List<VolumeDevice> devices = new ArrayList<>();
  private final List<String> options = new ArrayList<>();
  private final List<EnvVar> environment = new ArrayList<>();

  private VmPod(ImageFetch fetch) {
    this.fetch = fetch;
  }

  /**
   * The pod as it should be.
   *
   * @param fetch what still has to come to its node
   * @param lans where its cards come onto LANs
   * @param requests one-shot annotations of the VM; the pod that starts with them has met them
   */
  public static Pod build(
      VmIdentity vm,
      VirtualMachineSpec spec,
      Hardware hardware,
      ImageFetch fetch,
      LanPlaces lans,
      Map<String, String> requests) {
    // What is fetched first is gone from the next pod: it must not make the running one look stale.
    Pod template = new VmPod(fetch.ofNothing()).assemble(vm, spec, hardware);
    Pod pod = fetch.origins().isEmpty() ? template : new VmPod(fetch).assemble(vm, spec, hardware);
    return pod.edit()
        .editMetadata()
        .addToAnnotations(TEMPLATE_ANNOTATION, Hash.of(withoutLiveFields(template.getSpec())))
        .addToAnnotations(FETCH_ANNOTATION, fetch.hash())
        .addToAnnotations(
            SPEC_ANNOTATION, SpecFields.write(SpecFields.of(spec, lans.ports(), fetch.settings())))
        .addToAnnotations(requests)
        .addToAnnotations(lans.annotations())
        .addToAnnotations(LanAddresses.annotations(spec, lans.ports()))
        .addToLabels(LanAddresses.labels(spec))
        .endMetadata()
        .editSpec()
        .withAffinity(
            lans.nodes()
                .map(nodes -> NodeNames.demand(spec.affinity(), nodes))
                .orElse(spec.affinity()))
        .endSpec()
        .build();
  }

  /**
   * What can change while the pod runs: CPU, the sizes of disks and that they have been made, and
   * what is in CD-ROM drives. What a disk is made from is a field of the spec.
   */
  private static PodSpec withoutLiveFields(PodSpec spec) {
    List<String> command =
        spec.getContainers().getFirst().getCommand().stream()
            .filter(MEDIUM_OPTION.asMatchPredicate().negate())
            .map(word -> DISK_OPTION.matcher(word).replaceFirst("$1"))
            .toList();
    List<String> args =
        spec.getContainers().getFirst().getArgs().stream()
            .map(word -> MEDIUM_ARGUMENT.matcher(word).replaceFirst(""))
            .toList();
    return spec.edit()
        .editFirstContainer()
        .withCommand(command)
        .withArgs(args)
        .editResources()
        .removeFromRequests("cpu")
        .removeFromLimits("cpu")
        .endResources()
        .endContainer()
        .build();
  }

  private Pod assemble(VmIdentity vm, VirtualMachineSpec spec, Hardware hardware) {
    hardware.attachments().forEach(this::attach);
    fetch.sources().forEach(volume -> volumes.put(volume.getName(), volume));
    environment.addFirst(hostAddress());
    MemoryBudget memory = MemoryBudget.of(spec);
    // @formatter:off
    return new PodBuilder()
        .withMetadata(Ownership.owned(vm, vm.name()))
        .withNewSpec()
          .withAutomountServiceAccountToken(false)
          .withEnableServiceLinks(false)
          .withRestartPolicy(restartPolicy(spec.runStrategy()))
          .withTerminationGracePeriodSeconds(spec.terminationGracePeriodSeconds().longValue())
          .withNodeSelector(nodeSelector(spec))
          .withAffinity(spec.affinity())
          .withTolerations(spec.tolerations())
          .withTopologySpreadConstraints(spec.topologySpreadConstraints())
          .withPriorityClassName(spec.priorityClassName())
          .withNewSecurityContext()
            .withFsGroup(QEMU_USER)
            .withFsGroupChangePolicy("OnRootMismatch")
          .endSecurityContext()
          .withInitContainers(fetch.containers())
          .addNewContainer()
            .withName(CONTAINER)
            .withImage(fetch.settings().runnerImage())
            .withImagePullPolicy("IfNotPresent")
            .withCommand(command())
            .withArgs(hardware.args())
            .withEnv(environment)
            .withStdin(true)
            .withTty(true)
            .withNewSecurityContext().withPrivileged(true).endSecurityContext()
            .withNewResources()
              .addToRequests(cpu(spec).getRequests())
              .addToLimits(cpu(spec).getLimits())
              .addToRequests("memory", mebibytes(memory.totalMiB()))
              .addToLimits("memory", mebibytes(memory.totalMiB()))
            .endResources()
            .withReadinessProbe(probe(spec.readinessProbe()))
            .withVolumeMounts(mounts)
            .withVolumeDevices(devices)
          .endContainer()
          .withVolumes(List.copyOf(volumes.values()))
        .endSpec()
        .build();
    // @formatter:on
  }

  /** The user's own word counts, also where no node that it allows has the image. */
  private Map<String, String> nodeSelector(VirtualMachineSpec spec) {
    Map<String, String> labels = new LinkedHashMap<>(fetch.nodeSelector());
    labels.putAll(Objects.requireNonNullElse(spec.nodeSelector(), Map.of()));
    return labels;
  }

  /** Annotations of a pod that exists, and nothing else of it, for server-side apply. */
  public static Pod note(Pod pod, Map<String, String> annotations) {
    return new PodBuilder()
        .withNewMetadata()
        .withNamespace(pod.getMetadata().getNamespace())
        .withName(pod.getMetadata().getName())
        // of a pod that has been replaced meanwhile, the API server refuses it
        .withUid(pod.getMetadata().getUid())
        // nor on what an outdated cache has told
        .withResourceVersion(pod.getMetadata().getResourceVersion())
        .withAnnotations(annotations)
        .endMetadata()
        .build();
  }

  private static String restartPolicy(RunStrategy strategy) {
    return switch (strategy) {
      case ALWAYS, HALTED -> "Always";
      case RERUN_ON_FAILURE -> "OnFailure";
      case ONCE -> "Never";
    };
  }

  /** A tenth of a core requested for each CPU, and a limit only if somebody asks for one. */
  public static ResourceRequirements cpu(VirtualMachineSpec spec) {
    int requested = 100 * spec.cpu().cores();
    if (spec.cpu().limitPercent() == null) {
      return new ResourceRequirementsBuilder().addToRequests("cpu", milliCores(requested)).build();
    }
    int limit = 10 * spec.cpu().limitPercent();
    return new ResourceRequirementsBuilder()
        // never the limit itself: the pod would be of another class, which cannot change while it
        // runs
        .addToRequests("cpu", milliCores(Math.min(requested, limit / 2)))
        .addToLimits("cpu", milliCores(limit))
        .build();
  }

  private static Quantity milliCores(int amount) {
    return new Quantity(amount + "m");
  }

  private void attach(Attachment attachment) {
    switch (attachment) {
      case WrapperOption(String text) -> options.add(text);
      case ClaimVolume(String name, String claim, String path) ->
          mount(
              new VolumeBuilder().withName(name).withNewPersistentVolumeClaim(claim, false).build(),
              path);
      case ClaimDevice(String name, String claim, String path) -> {
        volumes.put(
            name,
            new VolumeBuilder().withName(name).withNewPersistentVolumeClaim(claim, false).build());
        devices.add(new VolumeDeviceBuilder().withName(name).withDevicePath(path).build());
      }
      case EphemeralVolume(String name, String path) ->
          mount(new VolumeBuilder().withName(name).withNewEmptyDir().endEmptyDir().build(), path);
      case MemoryVolume(String name, String path) ->
          mount(
              new VolumeBuilder()
                  .withName(name)
                  .withNewEmptyDir()
                  .withMedium("Memory")
                  // it counts against the pod's memory, and the guest can make QEMU log events
                  .withSizeLimit(mebibytes(16))
                  .endEmptyDir()
                  .build(),
              path);
      case SecretVolume(String name, String secret, String path) ->
          mountReadOnly(
              new VolumeBuilder()
                  .withName(name)
                  .withNewSecret()
                  .withSecretName(secret)
                  .withDefaultMode(0400)
                  .endSecret()
                  .build(),
              path);
      case NodeProcesses(String name, String path) -> {
        if (!volumes.containsKey(name)) {
          environment.add(ImageFetch.node());
        }
        mountReadOnly(
            new VolumeBuilder()
                .withName(name)
                .withNewHostPath()
                .withPath("/proc")
                .withType("Directory")
                .endHostPath()
                .build(),
            path);
      }
      case BaseImage(String disk) -> {
        mountReadOnly(fetch.cache(), "/cache");
        if (fetch.origins().containsKey(disk)) {
          mountReadOnly(fetch.handover(), "/handover");
        }
      }
    }
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(ImageFetch.SCRIPTS + "qemu");
    command.addAll(options);
    command.add("--");
    return command;
  }

  /** The network script keeps the guest away from the kubelet of this address. */
  private static EnvVar hostAddress() {
    return new EnvVarBuilder()
        .withName("QEMU_OPERATOR_HOST_IP")
        .withNewValueFrom()
        .withNewFieldRef("v1", "status.hostIP")
        .endValueFrom()
        .build();
  }

  private static Probe probe(ReadinessProbe probe) {
    if (probe == null || probe.cloudInit() != null) {
      return null; // readinessProbe.cloudInit is the operator's to know
    }
    return new ProbeBuilder()
        .withTcpSocket(
            probe.tcpSocket() == null
                ? null
                : new TCPSocketActionBuilder().withNewPort(probe.tcpSocket().port()).build())
        .withHttpGet(probe.httpGet() == null ? null : httpGet(probe.httpGet()))
        .withInitialDelaySeconds(probe.initialDelaySeconds())
        .withPeriodSeconds(probe.periodSeconds())
        .withTimeoutSeconds(probe.timeoutSeconds())
        .withFailureThreshold(probe.failureThreshold())
        .withSuccessThreshold(probe.successThreshold())
        .build();
  }

  private static HTTPGetAction httpGet(ReadinessProbe.HttpGet asked) {
    return new HTTPGetActionBuilder()
        .withNewPort(asked.port())
        .withPath(asked.path())
        .withScheme(asked.scheme().name())
        .withHttpHeaders(
            Objects.requireNonNullElse(
                    asked.httpHeaders(), List.<ReadinessProbe.HttpGet.Header>of())
                .stream()
                .map(header -> new HTTPHeader(header.name(), header.value()))
                .toList())
        .build();
  }

  private void mount(Volume volume, String path) {
    volumes.put(volume.getName(), volume);
    mounts.add(mountOf(volume.getName(), path, false));
  }

  /** Several disks may want the same one. */
  private void mountReadOnly(Volume volume, String path) {
    if (volumes.put(volume.getName(), volume) == null) {
      mounts.add(mountOf(volume.getName(), path, true));
    }
  }

  static VolumeMount mountOf(String volume, String path, boolean readOnly) {
    return new VolumeMountBuilder()
        .withName(volume)
        .withMountPath(path)
        .withReadOnly(readOnly ? true : null)
        .build();
  }

  private static Quantity mebibytes(long amount) {
    return new Quantity(amount + "Mi");
  }
}
