package dev.qemuoperator.cluster;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import java.util.Locale;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A namespace for one test class, in which VM pods are allowed:
 *
 * <pre>{@code
 * @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();
 * }</pre>
 */
public final class TestNamespace implements BeforeAllCallback, AfterAllCallback {

  private String name;

  /** The namespace's name. */
  public String name() {
    return name;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    name =
        Cluster.get()
            .client()
            .resource(
                new NamespaceBuilder()
                    .withNewMetadata()
                    .withGenerateName(
                        context.getRequiredTestClass().getSimpleName().toLowerCase(Locale.ROOT)
                            + "-")
                    .addToLabels("pod-security.kubernetes.io/enforce", "privileged")
                    .endMetadata()
                    .build())
            .create()
            .getMetadata()
            .getName();
  }

  /** Does not wait: what is in it may end slowly, and no other test sees it. */
  @Override
  public void afterAll(ExtensionContext context) {
    Cluster.get().client().namespaces().withName(name).delete();
  }
}
