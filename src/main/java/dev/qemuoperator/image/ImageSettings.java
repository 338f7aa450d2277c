package dev.qemuoperator.image;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the chart sets for images, as environment variables such as {@code
 * QEMU_OPERATOR_IMAGES_MANAGE}.
 */
@ConfigMapping(prefix = "qemu-operator.images")
public interface ImageSettings {

  /** Whether this operator looks after the cluster's images; one of a cluster does. */
  @WithDefault("true")
  boolean manage();

  /** File of the specs of the images that the chart brings, by name, as YAML. */
  Optional<Path> catalogue();
}
