package dev.qemuoperator.image;

import dev.qemuoperator.pod.PodSettings;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** How the parts of this kind are put together. */
final class ImageBeans {

  private static final Logger LOG = Logger.getLogger(ImageBeans.class);
  private static final Duration RETRY = Duration.ofSeconds(30);

  @Produces
  @Singleton
  Web web() {
    return new Web();
  }

  @Produces
  @Singleton
  PrePullPods prePullPods(
      KubernetesClient client,
      PodSettings settings,
      @ConfigProperty(name = "qemu-operator.namespace") String namespace) {
    return new PrePullPods(client, namespace, settings);
  }

  /**
   * Each replica does it, with the same outcome: a new one brings the catalogue of its version
   * before it leads. What cannot be done is tried again until it can.
   */
  void installCatalogue(
      @Observes StartupEvent start,
      KubernetesClient client,
      ImageSettings settings,
      @ConfigProperty(name = "qemu-operator.namespace") String namespace) {
    settings
        .catalogue()
        .filter(file -> settings.manage())
        .ifPresent(file -> install(new Catalogue(client, namespace), file));
  }

  private static void install(Catalogue catalogue, Path file) {
    ScheduledExecutorService retries =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("catalogue").factory());
    retries.scheduleWithFixedDelay(
        () -> {
          try (InputStream yaml = Files.newInputStream(file)) {
            if (catalogue.install(catalogue.parse(yaml))) {
              retries.shutdown();
            }
          } catch (IOException | RuntimeException e) {
            LOG.errorf("catalogue not installed file=%s problem=%s", file, e.getMessage());
          }
        },
        0,
        RETRY.toSeconds(),
        TimeUnit.SECONDS);
  }
}
