package dev.qemuoperator.pod;

import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.Disk.AccessMode;
import dev.qemuoperator.api.Disk.Claim;
import dev.qemuoperator.api.Disk.ReclaimPolicy;
import dev.qemuoperator.api.Disk.VolumeMode;
import dev.qemuoperator.api.Port;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.api.VmService;
import dev.qemuoperator.qemu.DiskSize;
import dev.qemuoperator.qemu.VmIdentity;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The objects beside the pod. */
public final class VmObjects {

  /** On a claim: the base image that its disk was made from; absent until it has been fetched. */
  static final String BASE_ANNOTATION = "qemu-operator.dev/base-image";

  /** On a claim: the digest of the base image that its disk was made from. */
  static final String BASE_DIGEST_ANNOTATION = "qemu-operator.dev/base-digest";

  /** On a claim: the disk in it does not need its base image any more. */
  static final String SELF_CONTAINED_ANNOTATION = "qemu-operator.dev/self-contained";

  /** On a claim: a disk has been made on it, so it must not be made again in silence. */
  public static final String MADE_ANNOTATION = "qemu-operator.dev/disk-made";

  /** On the seed's Secret: which source contributed what, by hash of the seed. */
  public static final String SEEDS_ANNOTATION = "qemu-operator.dev/seeds";

  /** On the Secret of certificates: a run strategy that wants no further pod. */
  static final String DONE_ANNOTATION = "qemu-operator.dev/done";

  private VmObjects() {}

  /**
   * What is known of the disk in a claim, as annotations of the claim.
   *
   * @param image the base image that has come for it, as the status tells it; empty: it must come
   * @param digest {@code sha256:…} of the base image's file, which may be gone from the disk's node
   * @param selfContained whether the disk does not need it any more
   * @param made whether QEMU has had the disk open, so that it must be there
   */
  public record DiskNotes(
      Optional<String> image, Optional<String> digest, boolean selfContained, boolean made) {

    public static final DiskNotes NONE =
        new DiskNotes(Optional.empty(), Optional.empty(), false, false);

    /** As an earlier pass has written them. */
    public static DiskNotes on(PersistentVolumeClaim claim) {
      Map<String, String> annotations =
          Optional.ofNullable(claim.getMetadata().getAnnotations()).orElse(Map.of());
      return new DiskNotes(
          Optional.ofNullable(annotations.get(BASE_ANNOTATION)),
          Optional.ofNullable(annotations.get(BASE_DIGEST_ANNOTATION)),
          annotations.containsKey(SELF_CONTAINED_ANNOTATION),
          annotations.containsKey(MADE_ANNOTATION));
    }

    private Map<String, String> annotations() {
      Map<String, String> annotations = new TreeMap<>();
      image.ifPresent(name -> annotations.put(BASE_ANNOTATION, name));
      digest.ifPresent(hash -> annotations.put(BASE_DIGEST_ANNOTATION, hash));
      if (selfContained) {
        annotations.put(SELF_CONTAINED_ANNOTATION, "true");
      }
      if (made) {
        annotations.put(MADE_ANNOTATION, "true");
      }
      return annotations;
    }
  }

  /**
   * The claim of a disk. A retained one has no owner, so that it outlives the VM; a VM of the same
   * name takes it up again. Of an existing one, the notes and nothing else: it is its owner's.
   *
   * @param nodeLocalStorageClass of disks with that storage
   */
  public static PersistentVolumeClaim claim(
      VmIdentity vm, Disk disk, DiskNotes notes, String nodeLocalStorageClass) {
    String name = vm.claimOf(disk);
    if (disk.storage().existing().isPresent()) {
      return new PersistentVolumeClaimBuilder()
          .withNewMetadata()
          .withNamespace(vm.namespace())
          .withName(name)
          .withAnnotations(notes.annotations())
          .endMetadata()
          .build();
    }
    ObjectMeta metadata =
        disk.reclaimPolicy() == ReclaimPolicy.DELETE
            ? Ownership.owned(vm, name)
            : Ownership.kept(vm, name);
    Map<String, String> annotations = notes.annotations();
    metadata.setAnnotations(annotations.isEmpty() ? null : annotations);
    Claim wish =
        disk.storage().nodeLocal() != null
            ? new Claim(nodeLocalStorageClass, null, null, null)
            : disk.storage().claim();
    List<AccessMode> modes = wish.accessModes();
    boolean block = wish.volumeMode() == VolumeMode.BLOCK;
    // @formatter:off
    return new PersistentVolumeClaimBuilder()
        .withMetadata(metadata)
        .withNewSpec()
          .withStorageClassName(wish.storageClassName())
          .withVolumeMode(wish.volumeMode() == null ? null : wish.volumeMode().word())
          .withAccessModes(
              (modes == null ? List.of(AccessMode.READ_WRITE_ONCE) : modes)
                  .stream().map(AccessMode::word).toList())
          .withNewResources()
            .addToRequests("storage", block ? DiskSize.of(disk.size()).device() : disk.size())
          .endResources()
        .endSpec()
        .build();
    // @formatter:on
  }

  /** The seed's files, and the history that says what changed since an older seed. */
  public static Secret seed(VmIdentity vm, Map<String, String> files, String seeds) {
    return secret(vm, vm.seedSecret(), files)
        .edit()
        .editMetadata()
        .addToAnnotations(SEEDS_ANNOTATION, seeds)
        .endMetadata()
        .build();
  }

  /**
   * The certificate of QEMU's monitors.
   *
   * @param done see {@link #doneMark}
   */
  public static Secret tls(VmIdentity vm, Map<String, String> files, Optional<String> done) {
    Secret secret = secret(vm, vm.tlsSecret(), files);
    done.ifPresent(mark -> secret.getMetadata().setAnnotations(Map.of(DONE_ANNOTATION, mark)));
    return secret;
  }

  /** What has been run already, as noted on the Secret of certificates; empty if nothing was. */
  public static String doneMark(Secret tls) {
    return Optional.ofNullable(tls.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(DONE_ANNOTATION))
        .orElse("");
  }

  /** The Service, if any port is asked for. */
  public static Optional<Service> service(VmIdentity vm, VirtualMachineSpec spec) {
    if (spec.ports() == null || spec.ports().isEmpty()) {
      return Optional.empty();
    }
    Optional<VmService> wish = Optional.ofNullable(spec.service());
    // @formatter:off
    return Optional.of(new ServiceBuilder()
        .withMetadata(Ownership.owned(vm, vm.name()))
        .editMetadata()
          .withAnnotations(wish.map(VmService::annotations).orElse(null))
        .endMetadata()
        .withNewSpec()
          .withType(wish.map(VmService::type).orElse(VmService.Type.CLUSTER_IP).word())
          .withLoadBalancerClass(wish.map(VmService::loadBalancerClass).orElse(null))
          .withExternalTrafficPolicy(
              wish.map(VmService::externalTrafficPolicy)
                  .map(VmService.TrafficPolicy::word)
                  .orElse(null))
          .withSelector(Ownership.labels(vm))
          .withPorts(spec.ports().stream().map(VmObjects::servicePort).toList())
        .endSpec()
        .build());
    // @formatter:on
  }

  private static ServicePort servicePort(Port port) {
    return new ServicePortBuilder()
        .withName(port.name())
        .withPort(port.port())
        .withNewTargetPort(port.port())
        .withProtocol(port.protocol().name())
        .withNodePort(port.nodePort())
        .build();
  }

  private static Secret secret(VmIdentity vm, String name, Map<String, String> files) {
    return new SecretBuilder()
        .withMetadata(Ownership.owned(vm, name))
        .withType("Opaque")
        .withData(
            files.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, file -> base64(file.getValue()))))
        .build();
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The files of a Secret as text. */
  public static Map<String, String> files(Secret secret) {
    return Optional.ofNullable(secret.getData()).orElse(Map.of()).entrySet().stream()
        .collect(
            Collectors.toMap(
                Map.Entry::getKey,
                file ->
                    new String(
                        Base64.getDecoder().decode(file.getValue()), StandardCharsets.UTF_8)));
  }
}
