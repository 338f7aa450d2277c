package dev.qemuoperator.image;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.InputStream;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * The images that the chart brings. Not the chart itself creates them, because Helm knows their
 * kind only once the chart's CRDs are there.
 */
final class Catalogue {

  /** On an image: it is of the catalogue of the operator in this namespace. */
  static final String LABEL = "qemu-operator.dev/catalogue";

  private static final Logger LOG = Logger.getLogger(Catalogue.class);

  private final KubernetesClient client;
  private final String namespace;

  /**
   * @param namespace of the operator; another one's images are left alone
   */
  Catalogue(KubernetesClient client, String namespace) {
    this.client = client;
    this.namespace = namespace;
  }

  /**
   * @param yaml specs by name
   */
  Map<String, VirtualMachineImageSpec> parse(InputStream yaml) {
    return client
        .getKubernetesSerialization()
        .unmarshal(yaml, new TypeReference<TreeMap<String, VirtualMachineImageSpec>>() {});
  }

  /**
   * Makes the cluster's images of this catalogue those, and removes the others of it.
   *
   * @return whether nothing is left to be done
   */
  boolean install(Map<String, VirtualMachineImageSpec> images) {
    Map<String, VirtualMachineImage> present =
        client.resources(VirtualMachineImage.class).list().getItems().stream()
            .collect(Collectors.toMap(image -> image.getMetadata().getName(), Function.identity()));
    boolean done = true;
    for (Map.Entry<String, VirtualMachineImageSpec> image : images.entrySet()) {
      String name = image.getKey();
      done &= attempt(name, () -> write(name, image.getValue(), present.get(name)));
    }
    for (VirtualMachineImage image : present.values()) {
      String name = image.getMetadata().getName();
      if (isOurs(image) && !images.containsKey(name)) {
        done &= attempt(name, () -> client.resource(image).delete());
      }
    }
    return done;
  }

  /** One that cannot be written keeps none of the others back. */
  private static boolean attempt(String name, Runnable change) {
    try {
      change.run();
      return true;
    } catch (KubernetesClientException e) {
      LOG.errorf("image of the catalogue not written name=%s problem=%s", name, e.getMessage());
      return false;
    }
  }

  private void write(String name, VirtualMachineImageSpec spec, VirtualMachineImage present) {
    if (present == null) {
      VirtualMachineImage image = new VirtualMachineImage();
      image.getMetadata().setName(name);
      image
          .getMetadata()
          .setLabels(Map.of(LABEL, namespace, "app.kubernetes.io/managed-by", "qemu-operator"));
      image.setSpec(spec);
      client.resource(image).create();
    } else if (!isOurs(present)) {
      LOG.warnf("image of the catalogue left out, since another has its name name=%s", name);
    } else if (!spec.equals(present.getSpec())) {
      // as a whole: what somebody has added to it goes
      present.setSpec(spec);
      client.resource(present).update();
    }
  }

  private boolean isOurs(VirtualMachineImage image) {
    return image.getMetadata().getLabels() != null
        && namespace.equals(image.getMetadata().getLabels().get(LABEL));
  }
}
