package dev.qemuoperator.machine;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Watches the ConfigMaps and Secrets that virtual machines name, each by its name, and no others: a
 * cache of every Secret of the cluster is what a thief would look for first, and would cost memory
 * for nothing. Safe for use by many threads.
 */
final class SourceWatches implements AutoCloseable {

  /** A ConfigMap or Secret by name. */
  record Source(Kind kind, String namespace, String name) {
    enum Kind {
      CONFIG_MAP("ConfigMap"),
      SECRET("Secret");

      private final String word;

      Kind(String word) {
        this.word = word;
      }
    }

    /** As users read it in messages. */
    String origin() {
      return kind.word + "/" + name;
    }
  }

  /** The VM whose sources are watched. */
  record Follower(String namespace, String name) {}

  private final KubernetesClient client;
  private final Consumer<Follower> changed;
  private final Map<Source, SharedIndexInformer<? extends HasMetadata>> informers = new HashMap<>();
  private final Map<Follower, Set<Source>> followed = new HashMap<>();

  SourceWatches(KubernetesClient client, Consumer<Follower> changed) {
    this.client = client;
    this.changed = changed;
  }

  /** From now on, a change of these sources, and of no others, is told for this VM. */
  synchronized void follow(Follower vm, Set<Source> sources) {
    if (sources.equals(followed.getOrDefault(vm, Set.of()))) {
      return;
    }
    sources.forEach(source -> informers.computeIfAbsent(source, this::inform));
    followed.put(vm, Set.copyOf(sources));
    stopUnused();
  }

  synchronized void forget(Follower vm) {
    followed.remove(vm);
    stopUnused();
  }

  /** The source as the API server has it; empty if there is none. */
  synchronized Optional<HasMetadata> get(Source source) {
    return Optional.ofNullable(informers.get(source))
        .flatMap(informer -> informer.getStore().list().stream().findFirst())
        .map(HasMetadata.class::cast);
  }

  @Override
  public synchronized void close() {
    followed.clear();
    stopUnused();
  }

  private void stopUnused() {
    Set<Source> used = new HashSet<>();
    followed.values().forEach(used::addAll);
    informers
        .entrySet()
        .removeIf(entry -> !used.contains(entry.getKey()) && stop(entry.getValue()));
  }

  private static boolean stop(SharedIndexInformer<? extends HasMetadata> informer) {
    informer.stop();
    return true;
  }

  private SharedIndexInformer<? extends HasMetadata> inform(Source source) {
    return switch (source.kind()) {
      case CONFIG_MAP ->
          client
              .configMaps()
              .inNamespace(source.namespace())
              .withName(source.name())
              .inform(new Teller<ConfigMap>(source));
      case SECRET ->
          client
              .secrets()
              .inNamespace(source.namespace())
              .withName(source.name())
              .inform(new Teller<Secret>(source));
    };
  }

  private synchronized Set<Follower> followersOf(Source source) {
    Set<Follower> followers = new HashSet<>();
    followed.forEach(
        (vm, sources) -> {
          if (sources.contains(source)) {
            followers.add(vm);
          }
        });
    return followers;
  }

  private final class Teller<T extends HasMetadata> implements ResourceEventHandler<T> {
    private final Source source;

    Teller(Source source) {
      this.source = source;
    }

    @Override
    public void onAdd(T added) {
      followersOf(source).forEach(changed);
    }

    @Override
    public void onUpdate(T before, T after) {
      if (!before
          .getMetadata()
          .getResourceVersion()
          .equals(after.getMetadata().getResourceVersion())) {
        followersOf(source).forEach(changed);
      }
    }

    @Override
    public void onDelete(T deleted, boolean finalStateUnknown) {
      followersOf(source).forEach(changed);
    }
  }
}
