package dev.qemuoperator.pod;

import dev.qemuoperator.api.HostPathRoot;
import dev.qemuoperator.api.VirtualMachineImageSpec.HostPath;
import dev.qemuoperator.api.VirtualMachineImageSpec.Source;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Where the file of an image can be. */
public sealed interface FilePlace {

  /** As status, messages and the runner's script `download` name it. */
  String title();

  /** Behind a URL. */
  record Url(String title) implements FilePlace {}

  /** In a directory that the pod mounts to read it there. */
  sealed interface Mounted extends FilePlace {

    /** The object that stands for the directory, such as {@code HostPathRoot/lab}. */
    String object();

    /** Of the file, below the directory. */
    String path();

    Volume volume(String name);

    @Override
    default String title() {
      return object() + ":" + path();
    }
  }

  /**
   * In a directory of the node.
   *
   * @param nodeSelector labels of the nodes that have it
   */
  record OnNode(String root, String nodePath, Map<String, String> nodeSelector, String path)
      implements Mounted {

    @Override
    public String object() {
      return HostPathRoot.KIND + "/" + root;
    }

    /** A node without the directory must not hold up the pod: the next source may do. */
    @Override
    public Volume volume(String name) {
      return new VolumeBuilder()
          .withName(name)
          .withNewHostPath()
          .withPath(nodePath)
          .withType("DirectoryOrCreate")
          .endHostPath()
          .build();
    }
  }

  /** On the file system of a claim of the pod's namespace. */
  record OnClaim(String claim, String path) implements Mounted {

    @Override
    public String object() {
      return "PersistentVolumeClaim/" + claim;
    }

    /** Read-only as a whole: else the kubelet gave all files of the volume to the pod's group. */
    @Override
    public Volume volume(String name) {
      return new VolumeBuilder().withName(name).withNewPersistentVolumeClaim(claim, true).build();
    }
  }

  /** Empty for a container image, and where there is no such root. */
  static Optional<FilePlace> of(Source source, HostPathRoots roots) {
    if (source.http() != null) {
      return Optional.of(new Url(source.http().url()));
    }
    return Optional.ofNullable(source.hostPath()).flatMap(file -> onNode(file, roots));
  }

  private static Optional<FilePlace> onNode(HostPath file, HostPathRoots roots) {
    return roots
        .usable(file.root())
        .map(
            root ->
                new OnNode(
                    file.root(),
                    root.nodePath(),
                    Objects.requireNonNullElse(root.nodeSelector(), Map.of()),
                    file.path()));
  }
}
