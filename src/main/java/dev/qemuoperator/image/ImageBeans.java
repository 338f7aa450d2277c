package dev.qemuoperator.image;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** How the parts of this kind are put together. */
final class ImageBeans {

  private static final Logger LOG = Logger.getLogger(ImageBeans.class);
  private static final int NO_CATALOGUE = 4;

  @Produces
  @Singleton
  Web web() {
    return new Web();
  }

  /**
   * Each replica does it, with the same outcome: a new one brings the catalogue of its version
   * before it leads. One that cannot ends, and is started again.
   */
  void installCatalogue(
      @Observes StartupEvent start,
      KubernetesClient client,
      ImageSettings settings,
      @ConfigProperty(name = "qemu-operator.namespace") String namespace) {
    settings
        .catalogue()
        .filter(file -> settings.manage())
        .ifPresent(
            file ->
                Thread.ofVirtual()
                    .name("catalogue")
                    .start(() -> install(new Catalogue(client, namespace), file)));
  }

  private static void install(Catalogue catalogue, Path file) {
    try (InputStream yaml = Files.newInputStream(file)) {
      catalogue.install(catalogue.parse(yaml));
    } catch (IOException | RuntimeException e) {
      LOG.errorf(e, "catalogue not installed file=%s", file);
      Quarkus.asyncExit(NO_CATALOGUE);
    }
  }
}
