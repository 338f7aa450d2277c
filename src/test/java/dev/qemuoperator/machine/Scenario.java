package dev.qemuoperator.machine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.qemuoperator.api.BridgeNetwork;
import dev.qemuoperator.api.CloudInit;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.HostPathRoot;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cloudinit.Layer;
import dev.qemuoperator.cloudinit.Seed;
import dev.qemuoperator.machine.MachineDecision.PodStep;
import dev.qemuoperator.machine.SourceWatches.Source;
import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.pod.ImageFetch;
import dev.qemuoperator.pod.ImageOrigin;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodSettings;
import dev.qemuoperator.pod.PodSettings.CacheLimits;
import dev.qemuoperator.pod.VmObjects;
import dev.qemuoperator.pod.VmObjects.DiskNotes;
import dev.qemuoperator.pod.VmPod;
import dev.qemuoperator.qemu.DiskSize;
import dev.qemuoperator.qemu.DiskVolume;
import dev.qemuoperator.qemu.Hardware;
import dev.qemuoperator.qemu.VmIdentity;
import dev.qemuoperator.qmp.CardAddress;
import dev.qemuoperator.qmp.CdromDrive;
import dev.qemuoperator.qmp.DiskImage;
import dev.qemuoperator.qmp.GuestReport;
import dev.qemuoperator.qmp.GuestReport.Result;
import dev.qemuoperator.qmp.IoError;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Answers;
import dev.qemuoperator.qmp.Observation.Channel;
import dev.qemuoperator.qmp.Observation.Heard;
import dev.qemuoperator.qmp.Reset;
import dev.qemuoperator.qmp.Shutdown;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One story: a folder of what the cluster has ({@code in-*}), and what one pass makes of it ({@code
 * out-*}). See src/test/resources/scenarios/README.md.
 */
final class Scenario {

  static final Path ROOT = Path.of("src", "test", "resources", "scenarios");

  private static final Instant BEGIN = Instant.parse("2026-01-01T12:00:00Z");
  private static final Duration BETWEEN_STORIES = Duration.ofMinutes(1);
  private static final PodSettings SETTINGS =
      new PodSettings(
          "registry.example/qemu-runner:1",
          "/var/lib/qemu-operator/cache",
          new CacheLimits(30, 20480),
          "qemu-operator-node-local");
  private static final CertificateAuthority AUTHORITY =
      CertificateAuthority.generate(Clock.fixed(BEGIN, ZoneOffset.UTC));
  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .enable(YAMLGenerator.Feature.INDENT_ARRAYS_WITH_INDICATOR)
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .disable(YAMLGenerator.Feature.SPLIT_LINES)
          .build();

  private final Path folder;
  private final Set<String> read = new HashSet<>();

  Scenario(Path folder) {
    this.folder = folder;
  }

  /** What a pass leaves, by file name. */
  record Outcome(VirtualMachineStatus status, Instant now, Map<String, String> files) {}

  Outcome play() {
    Optional<Outcome> earlier =
        file("in-after.txt").map(story -> new Scenario(ROOT.resolve(story.strip())).play());
    Instant now = earlier.map(outcome -> outcome.now().plus(BETWEEN_STORIES)).orElse(BEGIN);
    Clock clock = Clock.fixed(now, ZoneOffset.UTC);

    VirtualMachine vm =
        ApiServerDefaults.virtualMachine(
            file("in-vm.yaml")
                .orElseThrow(() -> new AssertionError(folder + " has no in-vm.yaml")));
    earlier.ifPresent(outcome -> vm.setStatus(outcome.status()));

    MachineInputs in = withMediumPods(inputs(vm));
    MachineDecision decision = MachineDecision.of(in);
    DesiredState desired = DesiredState.build(in, decision, SETTINGS, AUTHORITY, clock);
    PodStep step = decision.podStep(in, desired.podFacts(), now);
    VirtualMachineStatus status =
        MachineReport.of(
            in,
            decision,
            new Apply.Result(
                Optional.empty(), false, texts("in-refused-claims.yaml"), refusedPods(desired)),
            desired.podFacts(),
            now);

    Map<String, String> files = new TreeMap<>();
    files.put("out-step.txt", step + "\n");
    decision.done().ifPresent(mark -> files.put("out-done.txt", mark + "\n"));
    files.put("out-status.yaml", yaml(tree(status)));
    events(earlier.map(Outcome::status), status)
        .ifPresent(text -> files.put("out-events.yaml", text));
    if (step == PodStep.CREATE) {
      files.put("out-pod.yaml", yaml(tree(desired.pod())));
    }
    if (decision.isAccepted()) {
      written(in.claims().values(), desired.claims())
          .ifPresent(text -> files.put("out-claims.yaml", text));
    }
    desired
        .seed()
        .filter(seed -> written(in.seed().stream().toList(), List.of(seed)).isPresent())
        .ifPresent(seed -> files.put("out-seed.yaml", readable(seed)));
    desired.mediumPods().missing().stream()
        .map(pod -> yaml(tree(pod)))
        .reduce((pods, pod) -> pods + "---\n" + pod)
        .ifPresent(text -> files.put("out-medium-pods.yaml", text));
    desired.mediumPods().surplus().stream()
        .map(pod -> pod.getMetadata().getName() + "\n")
        .reduce(String::concat)
        .ifPresent(names -> files.put("out-medium-pods-deleted.txt", names));
    desired.service().ifPresent(service -> files.put("out-service.yaml", yaml(tree(service))));
    return new Outcome(status, now, files);
  }

  /**
   * Files of the folder that no step has looked at: a name mistyped, or an object nobody asks for.
   */
  List<String> unusedInputs() {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(path -> path.getFileName().toString())
          .filter(name -> !name.startsWith("out-") && !read.contains(name))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- inputs

  private MachineInputs inputs(VirtualMachine vm) {
    List<Layer> layers = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    List<CloudInit.Source> sources = InputReader.cloudInitSources(vm);
    for (int i = 0; i < sources.size(); i++) {
      Optional<Source> reference =
          InputReader.reference(MachineInputs.identityOf(vm), sources.get(i));
      if (reference.isEmpty()) {
        layers.add(InputReader.inline(sources.get(i).inline(), i));
        continue;
      }
      source(reference.get())
          .ifPresentOrElse(
              object -> layers.add(InputReader.layer(reference.get(), object)),
              () -> missing.add(reference.get().origin()));
    }
    MachineInputs bare =
        new MachineInputs(
            vm,
            layers,
            missing,
            images(vm),
            roots(),
            bridgeNetworksOfEarlier(),
            Optional.empty(),
            Map.of(),
            Map.of(),
            Map.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            Map.of(),
            Optional.empty(),
            new TreeSet<>());
    Optional<Seed> seed = MachineDecision.of(bare).seed();
    return new MachineInputs(
        vm,
        layers,
        missing,
        bare.images(),
        bare.roots(),
        bridgeNetworks(),
        pod(bare),
        claims(vm),
        texts("in-claim-events.yaml"),
        texts("in-claim-users.yaml"),
        file("in-mount-problem.txt").map(String::strip),
        seed.flatMap(wanted -> seedSecret(bare.identity(), wanted)),
        tls(bare.identity()),
        Optional.empty(),
        qmp(seed, vm),
        List.of(),
        texts("in-fetched.yaml"),
        file("in-panic-console.txt"),
        keptBases());
  }

  /** Those that the operator has made already. */
  private MachineInputs withMediumPods(MachineInputs in) {
    List<PodFacts> pods =
        file("in-medium-pod.yaml")
            .map(Scenario::parse)
            .map(
                patch ->
                    MediumPods.of(in, SETTINGS).missing().stream()
                        .map(made -> merged(tree(made), patch))
                        .map(json -> Serialization.unmarshal(json.toString(), Pod.class))
                        .map(PodFacts::new)
                        .toList())
            .orElse(List.of());
    List<PodFacts> others =
        file("in-medium-pod-of-another-one.yaml")
            .map(text -> new PodFacts(Serialization.unmarshal(text, Pod.class)))
            .stream()
            .toList();
    return new MachineInputs(
        in.vm(),
        in.layers(),
        in.missingSources(),
        in.images(),
        in.roots(),
        in.bridgeNetworks(),
        in.pod(),
        in.claims(),
        in.claimEvents(),
        in.claimUsers(),
        in.mountProblem(),
        in.seed(),
        in.tls(),
        in.service(),
        in.qmp(),
        Stream.concat(pods.stream(), others.stream()).toList(),
        in.fetched(),
        in.panicConsole(),
        in.keptBases());
  }

  private Map<String, String> refusedPods(DesiredState desired) {
    return file("in-refused-medium-pod.txt").stream()
        .flatMap(
            why ->
                desired.mediumPods().missing().stream()
                    .map(pod -> Map.entry(pod.getMetadata().getName(), why.strip())))
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  private HostPathRoots roots() {
    return HostPathRoots.of(all("in-root-", HostPathRoot.class).stream());
  }

  /** As the informer has them, of which the reader takes those that the VM names. */
  private Map<String, BridgeNetwork> bridgeNetworks() {
    return all("in-bridge-network-", BridgeNetwork.class).stream()
        .collect(Collectors.toMap(network -> network.getMetadata().getName(), network -> network));
  }

  /** When the pod was made, and the guest booted. */
  private Map<String, BridgeNetwork> bridgeNetworksOfEarlier() {
    Map<String, BridgeNetwork> networks = new HashMap<>(bridgeNetworks());
    all("in-gone-bridge-network-", BridgeNetwork.class)
        .forEach(network -> networks.put(network.getMetadata().getName(), network));
    return networks;
  }

  /** Any name may come: which ones are named, is for the code under test to know. */
  private <T> List<T> all(String prefix, Class<T> kind) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(path -> path.getFileName().toString())
          .filter(name -> name.startsWith(prefix))
          .flatMap(name -> file(name).stream())
          .map(text -> Serialization.unmarshal(text, kind))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SortedSet<String> keptBases() {
    return file("in-kept-bases.txt").stream()
        .flatMap(String::lines)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Optional<HasMetadata> source(Source source) {
    return switch (source.kind()) {
      case CONFIG_MAP ->
          file("in-configmap-" + source.name() + ".yaml")
              .map(text -> Serialization.unmarshal(text, ConfigMap.class));
      case SECRET ->
          file("in-secret-" + source.name() + ".yaml")
              .map(text -> Serialization.unmarshal(text, Secret.class));
    };
  }

  /** The volumes of its pod, which were large enough. */
  private Map<String, DiskVolume> madeOn(MachineInputs in) {
    Map<String, PersistentVolumeClaim> claims = claims(in.vm());
    return madeFrom(in).disks().stream()
        .filter(disk -> disk.storage().isClaimed())
        .collect(
            Collectors.toMap(
                Disk::name,
                disk -> {
                  String claim = in.identity().claimOf(disk);
                  boolean block =
                      Optional.ofNullable(claims.get(claim)).filter(Volumes::isBlock).isPresent();
                  return new DiskVolume(claim, block, false, Optional.empty());
                }));
  }

  private Optional<PodFacts> pod(MachineInputs in) {
    return file("in-pod.yaml")
        .map(Scenario::parse)
        .map(
            patch -> {
              Hardware hardware =
                  Hardware.of(
                      in.identity(),
                      madeFrom(in),
                      in.wantsSeed(),
                      CertificateAuthority.OPERATOR_DN,
                      madeOn(in),
                      LanCards.of(in).places().ports());
              Pod made =
                  VmPod.build(
                      in.identity(),
                      madeFrom(in),
                      hardware,
                      new ImageFetch(SETTINGS, fetchedBy(patch, in), in.keptBases()),
                      LanCards.of(in).places(),
                      Map.of());
              return Serialization.unmarshal(merged(tree(made), patch).toString(), Pod.class);
            })
        .map(PodFacts::new);
  }

  /** The spec of the VM, but for what has been changed since. */
  private VirtualMachineSpec madeFrom(MachineInputs in) {
    return file("in-made-from.yaml")
        .map(Scenario::parse)
        .map(earlier -> merged(tree(in.spec()), earlier))
        .map(json -> Serialization.unmarshal(json.toString(), VirtualMachineSpec.class))
        .orElse(in.spec());
  }

  /** The pod was made when nothing was known of its claims yet, and its images were there. */
  private static Map<String, ImageOrigin> fetchedBy(JsonNode pod, MachineInputs in) {
    Set<String> disks = new HashSet<>();
    pod.path("fetches").forEach(disk -> disks.add(disk.asText()));
    for (JsonNode init : pod.at("/status/initContainerStatuses")) {
      String name = init.path("name").asText();
      if (name.startsWith("image-")) {
        disks.add(name.substring("image-".length()));
      }
    }
    Map<String, ImageOrigin> origins = BaseImages.of(in).fetch();
    ImageOrigin gone = new ImageOrigin.ContainerImage("registry.example/gone", "");
    return disks.stream()
        .collect(Collectors.toMap(disk -> disk, disk -> origins.getOrDefault(disk, gone)));
  }

  private Map<String, VirtualMachineImage> images(VirtualMachine vm) {
    Map<String, VirtualMachineImage> images = new HashMap<>();
    for (Drive drive : Drive.of(vm.getSpec())) {
      String name = drive.source().image();
      if (name != null) {
        file("in-image-" + name + ".yaml")
            .map(text -> Serialization.unmarshal(text, VirtualMachineImage.class))
            .ifPresent(image -> images.put(name, image));
      }
    }
    return images;
  }

  private Map<String, PersistentVolumeClaim> claims(VirtualMachine vm) {
    VmIdentity identity = MachineInputs.identityOf(vm);
    Map<String, PersistentVolumeClaim> claims = new HashMap<>();
    for (Disk disk : vm.getSpec().disks()) {
      if (disk.storage().isClaimed()) {
        String name = identity.claimOf(disk);
        file("in-claim-" + name + ".yaml")
            .map(Scenario::parse)
            .map(patch -> merged(tree(asMade(identity, disk)), patch))
            .map(json -> Serialization.unmarshal(json.toString(), PersistentVolumeClaim.class))
            .ifPresent(claim -> claims.put(name, claim));
      }
    }
    return claims;
  }

  private static PersistentVolumeClaim asMade(VmIdentity vm, Disk disk) {
    return VmObjects.claim(vm, disk, DiskNotes.NONE, SETTINGS.nodeLocalStorageClass());
  }

  private Map<String, String> texts(String name) {
    Map<String, String> texts = new HashMap<>();
    file(name)
        .map(Scenario::parse)
        .ifPresent(
            json ->
                json.properties()
                    .forEach(text -> texts.put(text.getKey(), text.getValue().asText())));
    return texts;
  }

  private Optional<Secret> tls(VmIdentity vm) {
    return file("in-done.txt").map(mark -> VmObjects.tls(vm, Map.of(), Optional.of(mark.strip())));
  }

  private Optional<Secret> seedSecret(VmIdentity vm, Seed wanted) {
    return file("in-seed.yaml")
        .map(Scenario::parse)
        .map(
            patch -> {
              String history = SeedHistory.of(Optional.empty()).with(wanted, hash -> false);
              JsonNode made = tree(VmObjects.seed(vm, wanted.files(), history));
              return Serialization.unmarshal(merged(made, patch).toString(), Secret.class);
            });
  }

  private Optional<Observation> qmp(Optional<Seed> seed, VirtualMachine vm) {
    return file("in-qmp.yaml")
        .map(Scenario::parse)
        .map(
            json -> {
              String serial = text(json, "seedSerial");
              Channel channel = Channel.valueOf(json.path("channel").asText());
              return new Observation(
                  channel,
                  BEGIN,
                  text(json, "problem"),
                  channel == Channel.CONNECTED
                      ? new Answers(
                          text(json, "runState"),
                          text(json, "accelerator"),
                          text(json, "qemuVersion"),
                          "the wanted one".equals(serial) ? seed.orElseThrow().hash() : serial,
                          report(json.path("report")),
                          cards(json.path("seen")),
                          disks(json.path("disks")),
                          cdroms(json.path("cdroms"), vm.getSpec()))
                      : null,
                  new Heard(
                      Optional.ofNullable(json.get("shutdown"))
                          .map(Scenario::shutdown)
                          .orElse(null),
                      Optional.ofNullable(json.get("ioError")).map(Scenario::ioError).orElse(null),
                      json.path("powerButtons").asInt(),
                      Optional.ofNullable(json.get("reset")).map(Scenario::reset).orElse(null)),
                  "containerd://1");
            });
  }

  private static Reset reset(JsonNode json) {
    return new Reset(json.path("reason").asText(), Instant.parse(json.path("at").asText()));
  }

  private static Map<String, DiskImage> disks(JsonNode json) {
    Map<String, DiskImage> disks = new TreeMap<>();
    json.properties()
        .forEach(
            disk ->
                disks.put(
                    disk.getKey(),
                    new DiskImage(
                        disk.getValue().path("backed").asBoolean(),
                        disk.getValue().has("copied")
                            ? disk.getValue().path("copied").asInt()
                            : null,
                        text(disk.getValue(), "base"),
                        text(disk.getValue(), "problem"),
                        DiskSize.of(new Quantity(disk.getValue().path("size").asText("8Gi")))
                            .bytes(),
                        text(disk.getValue(), "refusal"),
                        disk.getValue().path("corrupt").asBoolean())));
    return disks;
  }

  private static Map<String, CdromDrive> cdroms(JsonNode json, VirtualMachineSpec spec) {
    Map<String, CdromDrive> cdroms = new TreeMap<>();
    json.properties()
        .forEach(
            drive ->
                cdroms.put(
                    drive.getKey(),
                    new CdromDrive(
                        medium(drive.getKey(), text(drive.getValue(), "medium"), spec),
                        text(drive.getValue(), "digest"),
                        drive.getValue().path("locked").asBoolean(),
                        text(drive.getValue(), "refusal"))));
    return cdroms;
  }

  private static String medium(String drive, String node, VirtualMachineSpec spec) {
    return "the wanted one".equals(node)
        ? spec.cdroms().stream()
            .filter(cdrom -> cdrom.name().equals(drive))
            .map(MediumChange::node)
            .findFirst()
            .orElseThrow()
        : node;
  }

  private static GuestReport report(JsonNode json) {
    return json.isMissingNode()
        ? null
        : new GuestReport(
            Result.valueOf(json.path("result").asText().toUpperCase(Locale.ROOT)),
            json.path("message").asText(),
            json.path("hostname").asText(),
            json.path("osName").asText(),
            json.path("kernel").asText(),
            texts(json.path("addresses")),
            json.has("cards") ? Optional.of(cards(json.path("cards"))) : Optional.empty(),
            texts(json.path("sshHostKeys")),
            json.has("finishedAt") ? Instant.parse(json.path("finishedAt").asText()) : null,
            Instant.parse(json.path("readAt").asText()));
  }

  private static List<CardAddress> cards(JsonNode json) {
    return texts(json).stream()
        .map(text -> text.split(" "))
        .map(words -> new CardAddress(words[0], words[1]))
        .toList();
  }

  private static List<String> texts(JsonNode json) {
    return json.valueStream().map(JsonNode::asText).toList();
  }

  private static IoError ioError(JsonNode json) {
    return new IoError(
        json.path("node").asText(),
        json.path("noSpace").asBoolean(),
        json.path("operation").asText(),
        json.path("reason").asText());
  }

  private static Shutdown shutdown(JsonNode json) {
    return new Shutdown(
        json.path("byGuest").asBoolean(),
        json.path("reason").asText(),
        Instant.parse(json.path("at").asText()));
  }

  private static String text(JsonNode json, String field) {
    return json.hasNonNull(field) ? json.get(field).asText() : null;
  }

  private Optional<String> file(String name) {
    try {
      Path path = folder.resolve(name);
      read.add(name);
      return Files.exists(path) ? Optional.of(Files.readString(path)) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode parse(String yaml) {
    try {
      return YAML.readTree(yaml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** JSON merge patch (RFC 7386). */
  private static JsonNode merged(JsonNode target, JsonNode patch) {
    if (!(patch instanceof ObjectNode changes)) {
      return patch;
    }
    ObjectNode result =
        target instanceof ObjectNode object ? object.deepCopy() : YAML.createObjectNode();
    changes
        .properties()
        .forEach(
            change -> {
              if (change.getValue().isNull()) {
                result.remove(change.getKey());
              } else {
                JsonNode before = result.path(change.getKey());
                result.set(change.getKey(), merged(before, change.getValue()));
              }
            });
    return result;
  }

  // ---- outputs

  /** The objects that do not exist as they should; empty if there is nothing to write. */
  private static Optional<String> written(
      Iterable<? extends HasMetadata> existing, List<? extends HasMetadata> desired) {
    Map<String, JsonNode> byName = new HashMap<>();
    existing.forEach(object -> byName.put(object.getMetadata().getName(), tree(object)));
    String text =
        desired.stream()
            .filter(
                object ->
                    !contains(
                        byName.getOrDefault(object.getMetadata().getName(), YAML.nullNode()),
                        tree(object)))
            .map(object -> yaml(tree(object)))
            .collect(Collectors.joining("---\n"));
    return Optional.of(text).filter(written -> !written.isEmpty());
  }

  private static boolean contains(JsonNode existing, JsonNode wanted) {
    if (!wanted.isObject()) {
      return wanted.equals(existing);
    }
    // an annotation that is not wanted any more goes
    if (wanted.has("labels") && !wanted.path("annotations").equals(existing.path("annotations"))) {
      return false;
    }
    return wanted.properties().stream()
        .allMatch(property -> contains(existing.path(property.getKey()), property.getValue()));
  }

  private static String readable(Secret seed) {
    ObjectNode tree = (ObjectNode) tree(seed);
    tree.remove("data");
    ObjectNode files = tree.putObject("stringData");
    new TreeMap<>(VmObjects.files(seed)).forEach(files::put);
    return yaml(tree);
  }

  private static Optional<String> events(
      Optional<VirtualMachineStatus> before, VirtualMachineStatus now) {
    List<Map<String, String>> events =
        MachineEvent.between(before, now).stream()
            .map(
                event -> {
                  Map<String, String> fields = new LinkedHashMap<>();
                  fields.put("type", event.warning() ? "Warning" : "Normal");
                  fields.put("reason", event.reason());
                  fields.put("note", event.note());
                  return fields;
                })
            .toList();
    return Optional.of(events)
        .filter(told -> !told.isEmpty())
        .map(told -> yaml(YAML.valueToTree(told)));
  }

  private static JsonNode tree(Object object) {
    return parse(Serialization.asJson(object));
  }

  private static String yaml(JsonNode tree) {
    try {
      return YAML.writeValueAsString(tree);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
