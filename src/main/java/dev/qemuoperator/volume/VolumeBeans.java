package dev.qemuoperator.volume;

import dev.qemuoperator.pod.PodSettings;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** How the provisioner is put together. */
final class VolumeBeans {

  @Produces
  @Singleton
  NodeLocalProvisioner provisioner(
      KubernetesClient client,
      VolumeSettings settings,
      PodSettings pods,
      @ConfigProperty(name = "qemu-operator.namespace") String namespace) {
    return new NodeLocalProvisioner(
        client,
        new NodeLocalVolume(pods.nodeLocalStorageClass(), settings.directory()),
        namespace,
        pods.runnerImage());
  }

  void start(
      @Observes StartupEvent start, VolumeSettings settings, NodeLocalProvisioner provisioner) {
    if (settings.enabled()) {
      provisioner.start();
    }
  }

  void stop(@Observes ShutdownEvent stop, NodeLocalProvisioner provisioner) {
    provisioner.close();
  }
}
