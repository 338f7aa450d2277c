package dev.qemuoperator.volume;

import dev.qemuoperator.pod.Ownership;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/**
 * Makes, grows and removes the volumes of claims. Every replica does it, with the same outcome;
 * what cannot be done is tried again.
 */
final class NodeLocalProvisioner implements AutoCloseable {

  private static final Logger LOG = Logger.getLogger(NodeLocalProvisioner.class);

  /** All that is known is looked at again after so long, in memory. */
  private static final Duration AGAIN = Duration.ofSeconds(30);

  private final KubernetesClient client;
  private final NodeLocalVolume volumes;
  private final String namespace;
  private final String runnerImage;
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("node-local").factory());
  private final List<SharedIndexInformer<?>> informers = new ArrayList<>();
  private volatile Optional<SharedIndexInformer<PersistentVolume>> made = Optional.empty();
  private volatile Optional<SharedIndexInformer<Pod>> removers = Optional.empty();

  /**
   * @param namespace of the pods that remove directories, with the image of the runner
   */
  NodeLocalProvisioner(
      KubernetesClient client, NodeLocalVolume volumes, String namespace, String runnerImage) {
    this.client = client;
    this.volumes = volumes;
    this.namespace = namespace;
    this.runnerImage = runnerImage;
  }

  void start() {
    made =
        Optional.of(
            client
                .persistentVolumes()
                .withLabels(NodeLocalVolume.LABELS)
                .inform(each(this::remove), AGAIN.toMillis()));
    removers =
        Optional.of(
            client
                .pods()
                .inNamespace(namespace)
                .withLabels(NodeLocalVolume.LABELS)
                .inform(each(this::goOn), AGAIN.toMillis()));
    SharedIndexInformer<PersistentVolumeClaim> claims =
        client
            .persistentVolumeClaims()
            .inAnyNamespace()
            .withLabel(Ownership.VM_LABEL)
            .inform(each(this::provide), AGAIN.toMillis());
    informers.addAll(List.of(made.get(), removers.get(), claims));
  }

  @Override
  public void close() {
    informers.forEach(SharedIndexInformer::stop);
    worker.shutdownNow();
  }

  private <T extends HasMetadata> ResourceEventHandler<T> each(Consumer<T> handle) {
    return new ResourceEventHandler<>() {
      @Override
      public void onAdd(T object) {
        worker.execute(() -> attempt(object, handle));
      }

      @Override
      public void onUpdate(T before, T now) {
        worker.execute(() -> attempt(now, handle));
      }

      @Override
      public void onDelete(T object, boolean lastStateUnknown) {
        // nothing is left to do
      }
    };
  }

  private static <T extends HasMetadata> void attempt(T object, Consumer<T> handle) {
    try {
      handle.accept(object);
    } catch (RuntimeException e) {
      LOG.warnf(
          "tried again kind=%s name=%s problem=%s",
          object.getKind(), object.getMetadata().getName(), e.getMessage());
    }
  }

  private void provide(PersistentVolumeClaim claim) {
    volumes
        .nodeFor(claim)
        .flatMap(name -> Optional.ofNullable(client.nodes().withName(name).get()))
        .ifPresent(node -> make(claim, node));
    Optional.ofNullable(claim.getSpec().getVolumeName())
        .flatMap(name -> made.map(all -> all.getStore().getByKey(name)))
        .filter(volume -> NodeLocalVolume.isToGrow(claim, volume))
        .ifPresent(volume -> grow(claim, volume));
  }

  private void make(PersistentVolumeClaim claim, Node node) {
    PersistentVolume volume = volumes.of(claim, node);
    if (isNew(() -> client.resource(volume).create())) {
      LOG.infof(
          "volume made claim=%s/%s node=%s path=%s",
          claim.getMetadata().getNamespace(),
          claim.getMetadata().getName(),
          node.getMetadata().getName(),
          volume.getSpec().getHostPath().getPath());
    }
  }

  /** False if it is there already, which the cache may not know yet. */
  private static boolean isNew(Runnable creation) {
    try {
      creation.run();
      return true;
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
        throw e;
      }
      return false;
    }
  }

  /** A directory holds what its file system does: growing it is a matter of words. */
  private void grow(PersistentVolumeClaim claim, PersistentVolume volume) {
    Map<String, Quantity> capacity = Map.of("storage", NodeLocalVolume.request(claim));
    client
        .resource(volume)
        .patch(merge(), Serialization.asJson(Map.of("spec", Map.of("capacity", capacity))));
    client
        .resource(claim)
        .subresource("status")
        .patch(merge(), Serialization.asJson(Map.of("status", Map.of("capacity", capacity))));
  }

  private static PatchContext merge() {
    return PatchContext.of(PatchType.JSON_MERGE);
  }

  private void remove(PersistentVolume volume) {
    if (!volumes.isReleased(volume)) {
      return;
    }
    Pod remover = volumes.remover(volume, namespace, runnerImage);
    Optional<Pod> there =
        removers.map(all -> all.getStore().getByKey(Cache.metaNamespaceKeyFunc(remover)));
    if (isOnNoNode(volume) || there.filter(NodeLocalProvisioner::hasDoneIt).isPresent()) {
      client.resource(volume).delete();
      client.resource(remover).delete();
      LOG.infof("volume removed path=%s", volume.getSpec().getHostPath().getPath());
    } else if (there.isEmpty()) {
      isNew(() -> client.resource(remover).create());
    }
  }

  /** With the removal that a pod was made for. */
  private void goOn(Pod remover) {
    made.map(all -> all.getStore().getByKey(NodeLocalVolume.removedBy(remover)))
        .ifPresent(this::remove);
  }

  /** Its directory has gone with the node. */
  private boolean isOnNoNode(PersistentVolume volume) {
    return client
        .nodes()
        .withLabel("kubernetes.io/hostname", NodeLocalVolume.hostname(volume))
        .list()
        .getItems()
        .isEmpty();
  }

  private static boolean hasDoneIt(Pod remover) {
    return remover.getStatus() != null && "Succeeded".equals(remover.getStatus().getPhase());
  }
}
