package dev.qemuoperator.pod;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The init containers that put base images into the cache of their pod's node, and the volumes that
 * they need.
 *
 * @param settings of the installation
 * @param origins by disk or CD-ROM drive, where its image comes from
 * @param kept checksums of what is not removed from the cache to make room
 */
public record ImageFetch(
    PodSettings settings, Map<String, ImageOrigin> origins, SortedSet<String> kept) {

  /** Before the name of a disk or CD-ROM drive: the init container that fetches its image. */
  public static final String INIT_PREFIX = "image-";

  /** Where the runner image has its scripts. */
  public static final String SCRIPTS = "/usr/lib/qemu-operator/";

  private static final String CACHE = "cache";
  private static final String HANDOVER = "handover";

  /** In the order of the disks' names. */
  public ImageFetch {
    origins = new TreeMap<>(origins);
  }

  /** For a pod whose base images are all there. */
  ImageFetch ofNothing() {
    return new ImageFetch(settings, Map.of(), kept);
  }

  /** The same in a cluster where nothing is kept: what is fetched does not depend on it. */
  private ImageFetch keepingNothing() {
    return new ImageFetch(settings, origins, new TreeSet<>());
  }

  /** The init containers, in the order in which they run. */
  public List<Container> containers() {
    List<Container> containers = new ArrayList<>();
    if (origins.values().stream().anyMatch(ImageOrigin.ContainerImage.class::isInstance)) {
      containers.add(tools());
    }
    origins.forEach((disk, origin) -> containers.add(fetcher(disk, origin)));
    return containers;
  }

  /** The node's base images, which all pods share. */
  public Volume cache() {
    return new VolumeBuilder()
        .withName(CACHE)
        .withNewHostPath()
        .withPath(settings.cacheDirectory())
        .withType("DirectoryOrCreate")
        .endHostPath()
        .build();
  }

  /** The directory through which an init container tells the digest that it has fetched. */
  public Volume handover() {
    return new VolumeBuilder().withName(HANDOVER).withNewEmptyDir().endEmptyDir().build();
  }

  /** Directories that images are read from, which QEMU's container does not get to see. */
  public List<Volume> sources() {
    return List.copyOf(directories().values());
  }

  /** By the object that stands for the directory. */
  private Map<String, Volume> directories() {
    Map<String, Volume> directories = new LinkedHashMap<>();
    files()
        .flatMap(file -> file.mounted().stream())
        .forEach(
            place ->
                directories.computeIfAbsent(
                    place.object(), object -> place.volume("source-" + directories.size())));
    return directories;
  }

  private Stream<ImageOrigin.File> files() {
    return origins.values().stream()
        .filter(ImageOrigin.File.class::isInstance)
        .map(ImageOrigin.File.class::cast);
  }

  /** Labels of the nodes that have the only directory in which an image can be found. */
  public Map<String, String> nodeSelector() {
    Map<String, String> labels = new TreeMap<>();
    files()
        .map(file -> file.places().stream().map(ImageFetch::nodesOf).distinct().toList())
        .filter(nodes -> nodes.size() == 1)
        .forEach(nodes -> labels.putAll(nodes.getFirst()));
    return labels;
  }

  private static Map<String, String> nodesOf(FilePlace place) {
    return switch (place) {
      case FilePlace.OnNode onNode -> onNode.nodeSelector();
      case FilePlace.OnClaim anywhere -> Map.of();
      case FilePlace.Url anywhere -> Map.of();
    };
  }

  /** Of all that decides what a pod fetches, and from where. */
  String hash() {
    List<Volume> sources = sources();
    return sources.isEmpty()
        ? Hash.of(keepingNothing().containers())
        : Hash.of(List.of(keepingNothing().containers(), sources, nodeSelector()));
  }

  private Container fetcher(String disk, ImageOrigin origin) {
    return switch (origin) {
      case ImageOrigin.File file ->
          fetcher(disk)
              .withImage(settings.runnerImage())
              .withCommand(SCRIPTS + "download", disk, file.checksum())
              .addAllToCommand(file.places().stream().map(FilePlace::title).toList())
              .addAllToEnv(optional("FORMAT", file.format()))
              .addAllToEnv(file.mounted().isEmpty() ? List.of() : List.of(node()))
              .addAllToEnv(limits())
              .addAllToVolumeMounts(mounts(file))
              .build();
      case ImageOrigin.ContainerImage(String image, String digest) ->
          fetcher(disk)
              .withImage(image)
              // whoever the image wants to be, the node's cache is root's
              .withNewSecurityContext()
              .withRunAsUser(0L)
              .withRunAsNonRoot(false)
              .withAllowPrivilegeEscalation(false)
              .endSecurityContext()
              .withCommand(
                  "/handover/busybox", "sh", "/handover/fetch", disk, image, "/disk/disk.qcow2")
              .addAllToEnv(optional("DIGEST", digest))
              .build();
    };
  }

  private List<VolumeMount> mounts(ImageOrigin.File file) {
    return file.mounted().stream()
        .map(FilePlace.Mounted::object)
        .distinct()
        .map(
            object ->
                new VolumeMountBuilder()
                    .withName(directories().get(object).getName())
                    .withMountPath("/sources/" + object)
                    .withReadOnly(true)
                    .build())
        .toList();
  }

  /** For messages about what this node lacks. */
  static EnvVar node() {
    return new EnvVarBuilder()
        .withName("NODE")
        .withNewValueFrom()
        .withNewFieldRef("v1", "spec.nodeName")
        .endValueFrom()
        .build();
  }

  private static ContainerBuilder fetcher(String disk) {
    return new ContainerBuilder()
        .withName(INIT_PREFIX + disk)
        .withImagePullPolicy("IfNotPresent")
        .addNewEnv()
        .withName("HANDOVER")
        .withValue("/handover")
        .endEnv()
        .addNewEnv()
        .withName("CACHE")
        .withValue("/cache")
        .endEnv()
        .withVolumeMounts(mount(HANDOVER, "/handover"), mount(CACHE, "/cache"));
  }

  /**
   * Puts what a container image that holds nothing but a disk needs for being read into /handover,
   * and makes room in the cache.
   */
  private Container tools() {
    return new ContainerBuilder()
        .withName("tools")
        .withImage(settings.runnerImage())
        .withImagePullPolicy("IfNotPresent")
        .withCommand(SCRIPTS + "tools")
        .addNewEnv()
        .withName("HANDOVER")
        .withValue("/handover")
        .endEnv()
        .addNewEnv()
        .withName("CACHE")
        .withValue("/cache")
        .endEnv()
        .addAllToEnv(limits())
        .withVolumeMounts(mount(HANDOVER, "/handover"), mount(CACHE, "/cache"))
        .build();
  }

  /** Of the cache, for the runner's script `collect`. */
  private List<EnvVar> limits() {
    List<EnvVar> limits = new ArrayList<>();
    limits.add(
        env("UNUSED_MINUTES", String.valueOf(settings.cacheLimits().unusedDays() * 24 * 60)));
    limits.add(env("MEBIBYTES", String.valueOf(settings.cacheLimits().mebibytes())));
    limits.addAll(optional("KEEP", String.join(" ", kept)));
    return limits;
  }

  private static List<EnvVar> optional(String name, String value) {
    return value.isEmpty() ? List.of() : List.of(env(name, value));
  }

  private static EnvVar env(String name, String value) {
    return new EnvVarBuilder().withName(name).withValue(value).build();
  }

  private static VolumeMount mount(String volume, String path) {
    return new VolumeMountBuilder().withName(volume).withMountPath(path).build();
  }
}
