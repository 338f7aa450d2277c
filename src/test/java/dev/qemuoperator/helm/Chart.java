package dev.qemuoperator.helm;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The chart of the checkout. Values are YAML, as in a file for {@code helm --values}. */
final class Chart {

  static final Path DIRECTORY = Path.of("helm", "qemu-operator");
  static final String RELEASE = "vms";
  static final String NAMESPACE = "operators";

  /** The oldest that the chart takes; the embedded Helm would assume an older one. */
  private static final String KUBE_VERSION = "1.29.0";

  private static final Pattern DOCUMENT = Pattern.compile("^---$", Pattern.MULTILINE);

  private Chart() {}

  /** What an installation with these values would create. */
  static Rendered render(String... values) {
    return renderFor(KUBE_VERSION, values);
  }

  /** What an installation with these values would create in a cluster of this version. */
  static Rendered renderFor(String kubeVersion, String... values) {
    String yaml =
        withFile(
            values.length == 0 ? "{}" : String.join("\n", values),
            file ->
                new Helm(DIRECTORY)
                    .template()
                    .withName(RELEASE)
                    .withNamespace(NAMESPACE)
                    .withKubeVersion(kubeVersion)
                    .withValuesFile(file)
                    .call());
    KubernetesSerialization serialization = new KubernetesSerialization();
    return new Rendered(
        DOCUMENT
            .splitAsStream(yaml)
            .filter(document -> document.contains("kind:"))
            .map(document -> (HasMetadata) serialization.unmarshal(document))
            .toList());
  }

  /** The text that Helm shows after an installation with these values. */
  static String notes(String values) {
    return withFile(
        values,
        file ->
            new Helm(DIRECTORY)
                .install()
                .clientOnly()
                .dryRun()
                .withName(RELEASE)
                .withNamespace(NAMESPACE)
                .withKubeVersion(KUBE_VERSION)
                .withValuesFile(file)
                .call()
                .getOutput());
  }

  static LintResult lint() {
    return new Helm(DIRECTORY).lint().strict().call();
  }

  private static <T> T withFile(String values, Function<Path, T> action) {
    try {
      Path file = Files.createTempFile("values", ".yaml");
      try {
        Files.writeString(file, values);
        return action.apply(file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The objects of an installation. */
  record Rendered(List<HasMetadata> objects) {

    /** Those of this kind; a class of Fabric8's model. */
    <T extends HasMetadata> List<T> all(Class<T> kind) {
      return objects.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    /** The one of this kind. */
    <T extends HasMetadata> T the(Class<T> kind) {
      List<T> found = all(kind);
      if (found.size() != 1) {
        throw new AssertionError(
            "the chart should render one %s, but renders %d"
                .formatted(kind.getSimpleName(), found.size()));
      }
      return found.getFirst();
    }

    List<String> kinds() {
      return objects.stream().map(HasMetadata::getKind).toList();
    }
  }
}
