package dev.qemuoperator.machine;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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

  private static final long NO_RESYNC = 0;
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private final KubernetesClient client;
  private final Consumer<Follower> changed;
  private final Map<Source, Watch> watches = new HashMap<>();
  private final Map<Follower, Set<Source>> followed = new HashMap<>();

  SourceWatches(KubernetesClient client, Consumer<Follower> changed) {
    this.client = client;
    this.changed = changed;
  }

  /** From now on, a change of these sources, and of no others, is told for this VM. */
  void follow(Follower vm, Set<Source> sources) {
    // one that does not come delays this VM, and no other: nobody else waits for the lock meanwhile
    start(vm, sources).forEach(watch -> watch.awaitList());
  }

  private synchronized List<Watch> start(Follower vm, Set<Source> sources) {
    watches.values().removeIf(watch -> watch.hasFailed() && watch.stop());
    sources.forEach(source -> watches.computeIfAbsent(source, this::watch));
    followed.put(vm, Set.copyOf(sources));
    stopUnused();
    return sources.stream().map(watches::get).toList();
  }

  synchronized void forget(Follower vm) {
    followed.remove(vm);
    stopUnused();
  }

  /** The source as the API server has it; empty if there is none. */
  synchronized Optional<HasMetadata> get(Source source) {
    return Optional.ofNullable(watches.get(source))
        .flatMap(watch -> watch.informer().getStore().list().stream().findFirst())
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
    watches.entrySet().removeIf(entry -> !used.contains(entry.getKey()) && entry.getValue().stop());
  }

  private Watch watch(Source source) {
    return switch (source.kind()) {
      case CONFIG_MAP ->
          start(
              source,
              client
                  .configMaps()
                  .inNamespace(source.namespace())
                  .withName(source.name())
                  .runnableInformer(NO_RESYNC));
      case SECRET ->
          start(
              source,
              client
                  .secrets()
                  .inNamespace(source.namespace())
                  .withName(source.name())
                  .runnableInformer(NO_RESYNC));
    };
  }

  private <T extends HasMetadata> Watch start(Source source, SharedIndexInformer<T> informer) {
    informer.addEventHandler(new Teller<>(source));
    return new Watch(informer, informer.start().toCompletableFuture());
  }

  /**
   * A running informer of one object.
   *
   * @param listed done once the object, or that there is none, is known
   */
  private record Watch(
      SharedIndexInformer<? extends HasMetadata> informer, CompletableFuture<Void> listed) {

    boolean hasFailed() {
      return listed.isCompletedExceptionally() || (listed.isDone() && !informer.isRunning());
    }

    boolean stop() {
      informer.stop();
      return true;
    }

    void awaitList() {
      try {
        listed.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      } catch (ExecutionException | TimeoutException e) {
        throw new IllegalStateException("a cloud-init source could not be read", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while a cloud-init source was read", e);
      }
    }
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
