package dev.qemuoperator.machine;

import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.CloudInit;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.api.VirtualMachineStatus.LastExit;
import dev.qemuoperator.cloudinit.Layer;
import dev.qemuoperator.logs.PodLogs;
import dev.qemuoperator.machine.SourceWatches.Follower;
import dev.qemuoperator.machine.SourceWatches.Source;
import dev.qemuoperator.pod.KeptBases;
import dev.qemuoperator.pod.MediumPod;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.VmObjects;
import dev.qemuoperator.qemu.VmIdentity;
import dev.qemuoperator.qmp.EventLog;
import dev.qemuoperator.qmp.QmpMonitors;
import dev.qemuoperator.roots.RootWatch;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Reads what a pass needs, from caches where there are any. */
final class InputReader {

  /** Reasons of the kubelet's and the attach controller's Events. */
  private static final Set<String> MOUNT_PROBLEMS =
      Set.of("FailedMount", "FailedAttachVolume", "FailedMapVolume");

  private final KubernetesClient client;
  private final SourceWatches sources;
  private final QmpMonitors monitors;
  private final PodLogs logs;

  InputReader(KubernetesClient client, SourceWatches sources, QmpMonitors monitors) {
    this.client = client;
    this.sources = sources;
    this.monitors = monitors;
    this.logs = new PodLogs(client);
  }

  MachineInputs read(VirtualMachine vm, Context<VirtualMachine> context) {
    VmIdentity identity = MachineInputs.identityOf(vm);
    List<CloudInit.Source> wanted = cloudInitSources(vm);
    sources.follow(follower(vm), references(vm));
    List<Layer> layers = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (int i = 0; i < wanted.size(); i++) {
      CloudInit.Source source = wanted.get(i);
      Optional<Source> reference = reference(identity, source);
      if (reference.isEmpty()) {
        layers.add(inline(source.inline(), i));
        continue;
      }
      sources
          .get(reference.get())
          .map(object -> layer(reference.get(), object))
          .ifPresentOrElse(layers::add, () -> missing.add(reference.get().origin()));
    }
    Map<String, PersistentVolumeClaim> claims = claims(vm, identity, context);
    Optional<PodFacts> pod = child(context, Pod.class, identity.name()).map(PodFacts::new);
    List<PodFacts> mediumPods = mediumPods(identity, context);
    return new MachineInputs(
        vm,
        layers,
        missing,
        context
            .getSecondaryResourcesAsStream(VirtualMachineImage.class)
            .collect(Collectors.toMap(image -> image.getMetadata().getName(), image -> image)),
        RootWatch.read(context),
        context
            .getSecondaryResourcesAsStream(BridgeNetwork.class)
            .collect(
                Collectors.toMap(network -> network.getMetadata().getName(), network -> network)),
        pod,
        claims,
        claimEvents(claims),
        // what has a pod of its own waits for nobody
        pod.isPresent()
            ? Map.of()
            : new ClaimUsers(client, context.getPrimaryCache().list()).of(vm),
        pod.filter(PodFacts::waitsForVolumes).flatMap(this::mountProblem),
        child(context, Secret.class, identity.seedSecret()),
        child(context, Secret.class, identity.tlsSecret()),
        child(context, Service.class, identity.name()),
        monitors
            .observation(Monitoring.key(identity))
            // of an earlier run of the container it would be yesterday's news
            .filter(qmp -> pod.isEmpty() || pod.get().containerId().equals(qmp.incarnation())),
        mediumPods,
        fetched(pod, mediumPods),
        pod.flatMap(facts -> panicConsole(vm, facts)),
        // a pod that has started fetches nothing any more, but media may come
        pod.filter(PodFacts::hasStarted).isPresent() && vm.getSpec().cdroms().isEmpty()
            ? new TreeSet<>()
            : keptBases(context));
  }

  private static List<PodFacts> mediumPods(VmIdentity vm, Context<VirtualMachine> context) {
    return context
        .getSecondaryResourcesAsStream(Pod.class)
        .filter(pod -> MediumPod.isOne(vm, pod))
        .map(PodFacts::new)
        .toList();
  }

  /** Names of disks and drives are distinct. */
  private Map<String, String> fetched(Optional<PodFacts> pod, List<PodFacts> mediumPods) {
    Map<String, String> fetched = new HashMap<>();
    pod.map(logs::fetched).ifPresent(fetched::putAll);
    mediumPods.stream().map(logs::fetched).forEach(fetched::putAll);
    return fetched;
  }

  private static SortedSet<String> keptBases(Context<VirtualMachine> context) {
    return KeptBases.of(context.getPrimaryCache().list(), ImageWatch.all(context));
  }

  /**
   * Read once for each panic: what the status has of it already is taken from there, since the
   * kubelet keeps the output of the last run only.
   */
  private Optional<String> panicConsole(VirtualMachine vm, PodFacts pod) {
    Optional<ContainerStateTerminated> ended =
        pod.lastTermination().filter(end -> EventLog.parse(end.getMessage()).panicked());
    Optional<LastExit> known =
        Optional.ofNullable(vm.getStatus())
            .map(VirtualMachineStatus::lastExit)
            .filter(exit -> ended.filter(end -> end.getFinishedAt().equals(exit.at())).isPresent())
            .filter(exit -> exit.console() != null);
    return known.isPresent()
        ? known.map(LastExit::console)
        : ended.flatMap(end -> logs.lastConsole(pod));
  }

  static Follower follower(VirtualMachine vm) {
    return new Follower(vm.getMetadata().getNamespace(), vm.getMetadata().getName());
  }

  static List<CloudInit.Source> cloudInitSources(VirtualMachine vm) {
    CloudInit cloudInit = vm.getSpec().cloudInit();
    return cloudInit == null || cloudInit.sources() == null ? List.of() : cloudInit.sources();
  }

  private static Set<Source> references(VirtualMachine vm) {
    VmIdentity identity = MachineInputs.identityOf(vm);
    return cloudInitSources(vm).stream()
        .flatMap(source -> reference(identity, source).stream())
        .collect(Collectors.toSet());
  }

  static Optional<Source> reference(VmIdentity vm, CloudInit.Source source) {
    if (source.configMapRef() != null) {
      return Optional.of(
          new Source(Source.Kind.CONFIG_MAP, vm.namespace(), source.configMapRef().name()));
    }
    return Optional.ofNullable(source.secretRef())
        .map(secret -> new Source(Source.Kind.SECRET, vm.namespace(), secret.name()));
  }

  static Layer layer(Source source, HasMetadata object) {
    return object instanceof ConfigMap configMap
        ? new Layer(
            source.origin(), false, Optional.ofNullable(configMap.getData()).orElse(Map.of()))
        : new Layer(source.origin(), true, VmObjects.files((Secret) object));
  }

  static Layer inline(CloudInit.Inline inline, int index) {
    Map<String, String> data = new LinkedHashMap<>();
    Optional.ofNullable(inline.userData()).ifPresent(text -> data.put("user-data", text));
    Optional.ofNullable(inline.vendorData()).ifPresent(text -> data.put("vendor-data", text));
    Optional.ofNullable(inline.networkConfig()).ifPresent(text -> data.put("network-config", text));
    Optional.ofNullable(inline.metaData()).ifPresent(text -> data.put("meta-data", text));
    return new Layer("spec.cloudInit.sources[" + index + "].inline", false, data);
  }

  /**
   * The claims of the VM's disks. One that the informer does not know may be somebody else's, who
   * has not labelled it as ours; it must be seen before it is written to.
   */
  private Map<String, PersistentVolumeClaim> claims(
      VirtualMachine vm, VmIdentity identity, Context<VirtualMachine> context) {
    Map<String, PersistentVolumeClaim> known =
        context
            .getSecondaryResourcesAsStream(PersistentVolumeClaim.class)
            .collect(Collectors.toMap(claim -> claim.getMetadata().getName(), claim -> claim));
    Map<String, PersistentVolumeClaim> claims = new HashMap<>();
    for (Disk disk : vm.getSpec().disks()) {
      if (disk.storage().isClaimed()) {
        String name = identity.claimOf(disk);
        Optional.ofNullable(known.get(name))
            .or(
                () ->
                    Optional.ofNullable(
                        client
                            .persistentVolumeClaims()
                            .inNamespace(identity.namespace())
                            .withName(name)
                            .get()))
            .ifPresent(claim -> claims.put(name, claim));
      }
    }
    return claims;
  }

  /** Only while a claim is pending, which is rare, so events need no cache. */
  private Map<String, String> claimEvents(Map<String, PersistentVolumeClaim> claims) {
    Map<String, String> texts = new HashMap<>();
    claims.forEach(
        (name, claim) -> {
          if (claim.getStatus() != null && "Pending".equals(claim.getStatus().getPhase())) {
            lastWarning(claim, event -> true).ifPresent(text -> texts.put(name, text));
          }
        });
    return texts;
  }

  /** Only while containers wait for their pod's volumes, mostly a second. */
  private Optional<String> mountProblem(PodFacts pod) {
    return lastWarning(pod.pod(), event -> MOUNT_PROBLEMS.contains(event.getReason()));
  }

  private Optional<String> lastWarning(HasMetadata object, Predicate<Event> which) {
    return client
        .v1()
        .events()
        .inNamespace(object.getMetadata().getNamespace())
        .withField("involvedObject.uid", object.getMetadata().getUid())
        .list()
        .getItems()
        .stream()
        .filter(event -> "Warning".equals(event.getType()) && which.test(event))
        .max(
            Comparator.comparing(event -> Optional.ofNullable(event.getLastTimestamp()).orElse("")))
        .map(Event::getMessage);
  }

  /** By name: anybody may put our labels on a pod or Service of another name. */
  private static <R extends HasMetadata> Optional<R> child(
      Context<VirtualMachine> context, Class<R> kind, String name) {
    return context
        .getSecondaryResourcesAsStream(kind)
        .filter(child -> child.getMetadata().getName().equals(name))
        .findFirst();
  }
}
