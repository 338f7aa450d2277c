package dev.qemuoperator.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import dev.qemuoperator.helm.Chart.Rendered;
import dev.qemuoperator.image.ImageSettings;
import dev.qemuoperator.machine.OperatorSettings;
import dev.qemuoperator.network.NetworkSettings;
import dev.qemuoperator.volume.VolumeSettings;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an installation consists of, and which values are refused. */
class ChartTest {

  private static final String SETTINGS_PREFIX = "QEMU_OPERATOR_";

  @Test
  void lintFindsNothing() {
    LintResult lint = Chart.lint();
    assertThat(lint.isFailed()).as("helm lint --strict says %s", lint.getMessages()).isFalse();
    assertThat(lint.getMessages())
        .as("an icon is the one thing Helm may miss")
        .allMatch(message -> message.endsWith("icon is recommended"));
  }

  @Test
  void versionIsThatOfTheProject() throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    String version = pom.substring(pom.indexOf("<version>") + 9, pom.indexOf("</version>"));
    assertThat(Chart.DIRECTORY.resolve("Chart.yaml"))
        .content()
        .as("Chart.yaml has to follow the version %s of pom.xml", version)
        .contains("\nversion: " + version + "\n", "\nappVersion: " + version + "\n");
  }

  @Test
  void imagesInUseAreProtectedWhereKubernetesCan() {
    assertThat(Chart.renderFor("1.30.0").kinds())
        .contains("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding");
    assertThat(Chart.renderFor("1.29.9").kinds()).doesNotContain("ValidatingAdmissionPolicy");
    for (String value : List.of("protect", "manage")) {
      assertThat(Chart.renderFor("1.30.0", "images: {%s: false}".formatted(value)).kinds())
          .as("images.%s: false", value)
          .doesNotContain("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding");
    }
  }

  @Test
  void defaultInstallationIsOneDeploymentAndItsRights() {
    assertThat(Chart.render().kinds())
        .containsExactlyInAnyOrder(
            "CustomResourceDefinition", // BridgeNetwork
            "CustomResourceDefinition", // HostPathRoot
            "CustomResourceDefinition", // VirtualMachine
            "CustomResourceDefinition", // VirtualMachineImage
            "ServiceAccount",
            "Role",
            "RoleBinding",
            "ClusterRole", // of the operator
            "ClusterRoleBinding",
            "ClusterRole", // of the operator, for images
            "ClusterRoleBinding",
            "ClusterRole", // of the operator, for LANs
            "ClusterRoleBinding",
            "ClusterRole", // of the operator, for disks with the storage nodeLocal
            "ClusterRoleBinding",
            "StorageClass", // of these disks
            "ConfigMap", // catalogue of images
            "ClusterRole", // view
            "ClusterRole", // edit
            "Service",
            "Deployment");
  }

  @Test
  void everyObjectCarriesTheStandardLabels() {
    for (HasMetadata object : everything().objects()) {
      assertThat(object.getMetadata().getLabels())
          .as("labels of %s %s", object.getKind(), object.getMetadata().getName())
          .containsKeys("helm.sh/chart", "app.kubernetes.io/version")
          .containsEntry("app.kubernetes.io/name", "qemu-operator")
          .containsEntry("app.kubernetes.io/instance", Chart.RELEASE)
          .containsEntry("app.kubernetes.io/managed-by", "Helm");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'{}', vms-qemu-operator",
    "'nameOverride: vms', vms",
    "'fullnameOverride: qemu', qemu",
  })
  void namesComeFromTheRelease(String values, String name) {
    Rendered chart = Chart.render(values);
    assertThat(chart.the(Deployment.class).getMetadata().getName()).isEqualTo(name);
    assertThat(chart.the(ServiceAccount.class).getMetadata().getName()).isEqualTo(name);
    assertThat(chart.the(Service.class).getMetadata().getName()).isEqualTo(name + "-metrics");
  }

  @Test
  void operatorIsLockedDown() {
    PodSpec pod = pod(Chart.render());
    assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
    assertThat(pod.getSecurityContext().getRunAsUser()).isEqualTo(65532);
    assertThat(pod.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
    var security = operator(Chart.render()).getSecurityContext();
    assertThat(security.getAllowPrivilegeEscalation()).isFalse();
    assertThat(security.getReadOnlyRootFilesystem()).isTrue();
    assertThat(security.getCapabilities().getDrop()).containsExactly("ALL");
    assertThat(pod.getHostNetwork()).isNull();
    assertThat(pod.getVolumes())
        .as("a read-only root file system leaves Java nothing but /tmp")
        .filteredOn(volume -> volume.getConfigMap() == null)
        .singleElement()
        .satisfies(volume -> assertThat(volume.getEmptyDir()).isNotNull());
    assertThat(operator(Chart.render()).getVolumeMounts())
        .extracting(VolumeMount::getMountPath)
        .containsExactlyInAnyOrder("/tmp", "/etc/qemu-operator");
  }

  @Test
  void settingsAreThoseThatTheOperatorReads() {
    Set<String> known = settings(method -> true);
    Set<String> needed =
        settings(
            method ->
                !method.isAnnotationPresent(WithDefault.class)
                    && !method.getReturnType().equals(Optional.class));
    Set<String> given =
        environment(Chart.render()).keySet().stream()
            .filter(name -> name.startsWith(SETTINGS_PREFIX))
            .collect(Collectors.toSet());
    assertThat(known).as("deployment.yaml sets what the settings do not have").containsAll(given);
    assertThat(given)
        .as("deployment.yaml must set what has no default in the settings")
        .containsAll(needed);
  }

  @Test
  void replicaKnowsItsNamespaceAndItsOwnName() {
    Map<String, EnvVar> environment = environment(Chart.render());
    assertThat(fieldOf(environment.get("QEMU_OPERATOR_NAMESPACE"))).isEqualTo("metadata.namespace");
    assertThat(fieldOf(environment.get("QEMU_OPERATOR_INSTANCE"))).isEqualTo("metadata.name");
    assertThat(pod(Chart.render()).getEnableServiceLinks())
        .as("a Service named qemu-operator would set QEMU_OPERATOR_PORT and more")
        .isFalse();
  }

  @Test
  void tagOfBothImagesIsTheAppVersionUnlessGiven() {
    Rendered byDefault = Chart.render();
    assertThat(operator(byDefault).getImage()).isEqualTo("ghcr.io/qemu-operator/operator:0.1.0");
    assertThat(environment(byDefault).get("QEMU_OPERATOR_RUNNER_IMAGE").getValue())
        .isEqualTo("ghcr.io/qemu-operator/runner:0.1.0");

    Rendered given =
        Chart.render(
            """
            image: {repository: "registry:5000/qemu-operator/operator", tag: 8484f0fb23d7}
            runner: {image: {repository: qemu-operator/runner, tag: "0123456789"}}
            """);
    assertThat(operator(given).getImage())
        .isEqualTo("registry:5000/qemu-operator/operator:8484f0fb23d7");
    assertThat(environment(given).get("QEMU_OPERATOR_RUNNER_IMAGE").getValue())
        .isEqualTo("qemu-operator/runner:0123456789");
  }

  @Test
  void watchedNamespacesReachTheOperator() {
    assertThat(environment(Chart.render())).doesNotContainKey("QUARKUS_OPERATOR_SDK_NAMESPACES");
    assertThat(environment(Chart.render("watchNamespaces: [lab, ci]")))
        .extractingByKey("QUARKUS_OPERATOR_SDK_NAMESPACES")
        .extracting(EnvVar::getValue)
        .isEqualTo("lab,ci");
  }

  @Test
  void healthIsAskedWhereQuarkusAnswers() {
    Container operator = operator(Chart.render());
    assertThat(operator.getStartupProbe().getHttpGet().getPath()).isEqualTo("/q/health/started");
    assertThat(operator.getLivenessProbe().getHttpGet().getPath()).isEqualTo("/q/health/live");
    assertThat(operator.getReadinessProbe().getHttpGet().getPath()).isEqualTo("/q/health/ready");
    assertThat(operator.getPorts())
        .singleElement()
        .satisfies(port -> assertThat(port.getContainerPort()).isEqualTo(8080));
  }

  @Test
  void updateNeverLeavesTheLeaseWithoutATaker() {
    var strategy = Chart.render().the(Deployment.class).getSpec().getStrategy();
    assertThat(strategy.getType()).isEqualTo("RollingUpdate");
    assertThat(strategy.getRollingUpdate().getMaxUnavailable().getIntVal()).isZero();
  }

  @Test
  void severalReplicasAreSpreadAndOneOfThemOutlastsADrain() {
    Rendered three = Chart.render("replicas: 3");
    assertThat(three.the(Deployment.class).getSpec().getReplicas()).isEqualTo(3);
    assertThat(three.the(PodDisruptionBudget.class).getSpec().getMinAvailable().getIntVal())
        .isEqualTo(1);
    assertThat(pod(three).getTopologySpreadConstraints()).hasSize(1);

    assertThat(Chart.render("{replicas: 3, podDisruptionBudget: {enabled: false}}").kinds())
        .doesNotContain("PodDisruptionBudget");
    assertThat(Chart.render().kinds())
        .as("a budget for one replica would block every drain")
        .doesNotContain("PodDisruptionBudget");
  }

  @Test
  void prometheusOperatorIsNotNeededButServed() {
    assertThat(Chart.render().kinds()).doesNotContain("ServiceMonitor");
    Rendered monitored =
        Chart.render("metrics: {serviceMonitor: {enabled: true, labels: {release: prometheus}}}");
    GenericKubernetesResource monitor = monitored.the(GenericKubernetesResource.class);
    assertThat(monitor.getKind()).isEqualTo("ServiceMonitor");
    assertThat(monitor.getMetadata().getLabels()).containsEntry("release", "prometheus");
    assertThat(monitor.<String>get("spec", "endpoints", 0, "path")).isEqualTo("/q/metrics");
    Map<String, String> selected = monitor.get("spec", "selector", "matchLabels");
    assertThat(monitored.the(Service.class).getMetadata().getLabels())
        .containsAllEntriesOf(selected);
    assertThat(monitored.the(Service.class).getSpec().getPorts().getFirst().getName())
        .isEqualTo(monitor.<String>get("spec", "endpoints", 0, "port"));
  }

  @Test
  void servicesAndBudgetsSelectTheOperatorsPods() {
    Rendered chart = Chart.render("replicas: 2");
    Map<String, String> labels =
        chart.the(Deployment.class).getSpec().getTemplate().getMetadata().getLabels();
    assertThat(labels)
        .containsAllEntriesOf(chart.the(Deployment.class).getSpec().getSelector().getMatchLabels())
        .containsAllEntriesOf(chart.the(Service.class).getSpec().getSelector())
        .containsAllEntriesOf(
            chart.the(PodDisruptionBudget.class).getSpec().getSelector().getMatchLabels());
  }

  @Test
  void whatClustersDemandOfPodsCanBeGiven() {
    Rendered chart =
        Chart.render(
            """
            podAnnotations: {example.org/a: b}
            podLabels: {team: lab}
            extraEnv: [{name: JAVA_TOOL_OPTIONS, value: -Xmx200m}]
            imagePullSecrets: [{name: registry}]
            priorityClassName: system-cluster-critical
            terminationGracePeriodSeconds: 5
            logLevel: DEBUG
            nodeSelector: {kubernetes.io/arch: amd64}
            tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Exists}]
            affinity: {nodeAffinity: {}}
            resources: {limits: {memory: 400Mi}}
            serviceAccount: {create: false, name: mine}
            """);
    var metadata = chart.the(Deployment.class).getSpec().getTemplate().getMetadata();
    assertThat(metadata.getAnnotations()).containsEntry("example.org/a", "b");
    assertThat(metadata.getLabels()).containsEntry("team", "lab");
    PodSpec pod = pod(chart);
    assertThat(pod.getImagePullSecrets()).extracting("name").containsExactly("registry");
    assertThat(pod.getPriorityClassName()).isEqualTo("system-cluster-critical");
    assertThat(pod.getTerminationGracePeriodSeconds()).isEqualTo(5);
    assertThat(pod.getNodeSelector()).containsEntry("kubernetes.io/arch", "amd64");
    assertThat(pod.getTolerations()).hasSize(1);
    assertThat(pod.getAffinity()).isNotNull();
    assertThat(pod.getServiceAccountName()).isEqualTo("mine");
    assertThat(chart.kinds()).doesNotContain("ServiceAccount");
    assertThat(environment(chart).get("JAVA_TOOL_OPTIONS").getValue()).isEqualTo("-Xmx200m");
    assertThat(environment(chart).get("QUARKUS_LOG_LEVEL").getValue()).isEqualTo("DEBUG");
    assertThat(operator(chart).getResources().getLimits().get("memory")).hasToString("400Mi");
  }

  @Test
  void notesTellTheNextStepsAndTheRisk() {
    assertThat(Chart.notes("{}"))
        .contains("privileged", "pod-security.kubernetes.io/enforce=privileged")
        .contains("kubectl apply", "kubectl get qvm", "kubectl attach", "ssh ")
        .contains("all namespaces");
    assertThat(Chart.notes("watchNamespaces: [lab, ci]"))
        .contains("of lab, ci.", "kubectl label namespace lab ");
  }

  /** The message names the value and what is expected of it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          replica: 2                              | replica
          replicas: three                         | /replicas, integer
          replicas: -1                            | /replicas, 0
          image: {tag: a b}                       | /image/tag
          image: {tag: 7}                         | /image/tag, string
          image: {pullPolicy: Sometimes}          | /image/pullPolicy, 'IfNotPresent'
          image: {repository: ghcr.io/a:tag}      | /image/repository
          runner: {repository: a}                 | /runner, repository
          cacheDirectory: var/lib                 | /cacheDirectory
          cacheDirectory: /var/../etc             | /cacheDirectory
          cacheDirectory: /                       | /cacheDirectory
          nodeLocal: {enabled: "yes"}             | /nodeLocal/enabled, boolean
          nodeLocal: {directory: disks}           | /nodeLocal/directory
          nodeLocal: {storageClassName: A}        | /nodeLocal/storageClassName
          watchNamespaces: lab                    | /watchNamespaces, array
          watchNamespaces: [Lab]                  | /watchNamespaces/0, Lab
          watchNamespaces: [lab, lab]             | /watchNamespaces
          crds: {keep: "yes"}                     | /crds/keep, boolean
          images: {manage: "yes"}                 | /images/manage, boolean
          images: {mirror: mirror.lan}            | /images/mirror
          images: {catalogue: {A b: null}}        | A b, pattern
          images: {catalogue: {a: {}}}            | /images/catalogue/a, sources
          images: {catalogue: {debian-13: {checksumUri: a}}} | /images/catalogue/debian-13, checksumUri
          metrics: {rules: {enabled: "yes"}}      | /metrics/rules/enabled, boolean
          metrics: {dashboard: {labels: {a: 1}}}  | /metrics/dashboard/labels/a, string
          logLevel: debug                         | /logLevel, 'DEBUG'
          podLabels: {a: 1}                       | /podLabels/a, string
          extraEnv: {A: b}                        | /extraEnv, array
          resources: {memory: 1Gi}                | /resources, memory
          """)
  void valuesThatCannotWorkAreRefused(String values, String inMessage) {
    assertThatThrownBy(() -> Chart.render(values))
        .message()
        .contains("values don't meet the specifications of the schema")
        .contains(inMessage.split(", "));
  }

  @Test
  void clusterThatIsTooOldIsRefused() {
    var template = new Helm(Chart.DIRECTORY).template().withKubeVersion("1.28.0");
    assertThatThrownBy(template::call).hasMessageContaining("1.29");
  }

  private static Rendered everything() {
    return Chart.render(
        """
        replicas: 2
        metrics: {serviceMonitor: {enabled: true}, rules: {enabled: true}, dashboard: {enabled: true}}
        """);
  }

  private static PodSpec pod(Rendered chart) {
    return chart.the(Deployment.class).getSpec().getTemplate().getSpec();
  }

  private static Container operator(Rendered chart) {
    List<Container> containers = pod(chart).getContainers();
    assertThat(containers).hasSize(1);
    return containers.getFirst();
  }

  private static Map<String, EnvVar> environment(Rendered chart) {
    return operator(chart).getEnv().stream()
        .collect(Collectors.toMap(EnvVar::getName, Function.identity()));
  }

  private static String fieldOf(EnvVar variable) {
    return variable.getValueFrom().getFieldRef().getFieldPath();
  }

  /** Names of environment variables for the settings. */
  private static Set<String> settings(Predicate<Method> which) {
    return Stream.of(
            OperatorSettings.class,
            ImageSettings.class,
            NetworkSettings.class,
            VolumeSettings.class)
        .flatMap(settings -> Arrays.stream(settings.getDeclaredMethods()))
        .filter(which)
        .map(
            method ->
                method.getDeclaringClass().getAnnotation(ConfigMapping.class).prefix()
                    + method.getName().replaceAll("([A-Z])", "-$1").replaceAll("^", "."))
        .map(name -> name.replaceAll("[.-]", "_").toUpperCase(Locale.ROOT))
        .collect(Collectors.toSet());
  }
}
