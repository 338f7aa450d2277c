package dev.qemuoperator.image;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.InputStream;
import java.util.Map;
import java.util.TreeMap;
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

  /** Makes the cluster's images of this catalogue those, and removes the others of it. */
  void install(Map<String, VirtualMachineImageSpec> images) {
    images.forEach(
        (name, spec) ->
            client
                .resource(image(name, spec))
                .fieldManager("qemu-operator-catalogue")
                .forceConflicts()
                .serverSideApply());
    client
        .resources(VirtualMachineImage.class)
        .withLabel(LABEL, namespace)
        .list()
        .getItems()
        .stream()
        .filter(image -> !images.containsKey(image.getMetadata().getName()))
        .forEach(image -> client.resource(image).delete());
    LOG.infof("catalogue installed images=%s", images.keySet());
  }

  private VirtualMachineImage image(String name, VirtualMachineImageSpec spec) {
    VirtualMachineImage image = new VirtualMachineImage();
    image.getMetadata().setName(name);
    image
        .getMetadata()
        .setLabels(Map.of(LABEL, namespace, "app.kubernetes.io/managed-by", "qemu-operator"));
    image.setSpec(spec);
    return image;
  }
}
