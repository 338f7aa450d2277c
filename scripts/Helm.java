import com.marcnuri.helm.Helm;
import java.nio.file.Path;

/**
 * Installs or upgrades a chart where no helm is on the PATH: what {@code helm upgrade --install} does,
 * with the Helm that the tests bring as a library.
 *
 * <p>Use: java -cp CLASSPATH scripts/Helm.java KUBECONFIG RELEASE CHART NAMESPACE VALUES
 */
final class HelmUpgrade {

  private HelmUpgrade() {}

  public static void main(String[] arguments) {
    if (arguments.length != 5) {
      System.err.println("use: Helm.java KUBECONFIG RELEASE CHART NAMESPACE VALUES");
      System.exit(2);
    }
    var release =
        new Helm(Path.of(arguments[2]))
            .upgrade()
            .install()
            .withKubeConfig(Path.of(arguments[0]))
            .withName(arguments[1])
            .withNamespace(arguments[3])
            .createNamespace()
            .withValuesFile(Path.of(arguments[4]))
            .call();
    System.err.printf("%s: revision %s, %s%n",
        release.getName(), release.getRevision(), release.getStatus());
  }
}
