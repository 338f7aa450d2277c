package dev.qemuoperator.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.qemuoperator.helm.Chart.Rendered;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.rbac.Subject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The operator may do what its code does, and nothing else. */
class RbacTest {

  private static final String MACHINE_RULES =
      "qemu-operator.machineRules in helm/qemu-operator/templates/_helpers.tpl";
  private static final String OWN_RULES =
      "the first Role in helm/qemu-operator/templates/rbac.yaml";
  private static final String IMAGE_RULES =
      "the ClusterRole -images in helm/qemu-operator/templates/rbac.yaml";

  private static final String NETWORK_RULES =
      "the ClusterRole -networks in helm/qemu-operator/templates/rbac.yaml";

  private static final String CORE = "";
  private static final String MACHINES = "qemu-operator.dev";
  private static final String EVENTS = "events.k8s.io";
  private static final String LEASES = "coordination.k8s.io";

  /** In the VMs' namespaces. Server-side apply of what is new is patch and create. */
  private static final List<Use> MACHINE_USES =
      List.of(
          use(
              MACHINES,
              "virtualmachines",
              "list watch",
              "machine/VirtualMachineReconciler",
              "Reconciler<VirtualMachine>"),
          use(
              MACHINES,
              "virtualmachines/status",
              "patch",
              "machine/VirtualMachineReconciler",
              "UpdateControl.patchStatus("),
          use(
              CORE,
              "pods",
              "list watch",
              "machine/VirtualMachineReconciler",
              "Children.watch(Pod.class"),
          use(
              CORE,
              "persistentvolumeclaims",
              "list watch",
              "machine/VirtualMachineReconciler",
              "Children.watch(PersistentVolumeClaim.class"),
          use(
              CORE,
              "secrets",
              "list watch",
              "machine/VirtualMachineReconciler",
              "Children.watch(Secret.class"),
          use(
              CORE,
              "services",
              "list watch",
              "machine/VirtualMachineReconciler",
              "Children.watch(Service.class"),
          use(CORE, "configmaps", "list watch", "machine/SourceWatches", ".configMaps()"),
          use(CORE, "secrets", "list watch", "machine/SourceWatches", ".secrets()"),
          use(
              CORE,
              "persistentvolumeclaims",
              "get",
              "machine/InputReader",
              ".persistentVolumeClaims()"),
          use(CORE, "events", "list", "machine/InputReader", ".v1().events()"),
          use(CORE, "pods", "get", "machine/Apply", ".resource(desired).get()"),
          use(CORE, "secrets", "get", "machine/Apply", ".resource(desired).get()"),
          use(CORE, "services", "get", "machine/Apply", ".resource(desired).get()"),
          use(CORE, "pods", "get list", "machine/Orphans", "client.pods()"),
          use(CORE, "pods", "create patch", "machine/Apply", "desired.pod()"),
          use(CORE, "persistentvolumeclaims", "create patch", "machine/Apply", "desired.claims()"),
          use(CORE, "secrets", "create patch", "machine/Apply", "desired.tls()"),
          use(CORE, "services", "create patch", "machine/Apply", "desired.service()"),
          use(CORE, "pods", "delete", "machine/Apply", ".resource(pod).delete()"),
          use(CORE, "services", "delete", "machine/Apply", ".resource(service).delete()"),
          use(CORE, "pods/log", "get", "logs/PodLogs", ".getLog()"),
          use(CORE, "pods/resize", "patch", "machine/Apply", ".subresource(\"resize\")"),
          use(CORE, "pods", "patch", "machine/Steering", "client.resource(note)"),
          use(EVENTS, "events", "create", "machine/EventRecorder", ".create()"));

  /** Of what belongs to no namespace, and is read by every operator. */
  private static final List<Use> IMAGE_READ_USES =
      List.of(
          use(
              MACHINES,
              "virtualmachineimages",
              "list watch",
              "machine/ImageWatch",
              "NamedWatch.of(VirtualMachineImage.class"),
          use(
              MACHINES,
              "hostpathroots",
              "list watch",
              "roots/RootWatch",
              "from(HostPathRoot.class"));

  /** And what one of a cluster does beside. */
  private static final List<Use> IMAGE_USES =
      List.of(
          use(
              MACHINES,
              "virtualmachineimages",
              "list watch",
              "image/VirtualMachineImageReconciler",
              "Reconciler<VirtualMachineImage>"),
          use(
              MACHINES,
              "virtualmachineimages/status",
              "patch",
              "image/VirtualMachineImageReconciler",
              "UpdateControl.patchStatus("),
          use(MACHINES, "virtualmachineimages", "list", "image/Catalogue", ".list()"),
          use(MACHINES, "virtualmachineimages", "create", "image/Catalogue", ".create()"),
          use(MACHINES, "virtualmachineimages", "update", "image/Catalogue", ".update()"),
          use(MACHINES, "virtualmachineimages", "delete", "image/Catalogue", ".delete()"),
          use(
              MACHINES,
              "virtualmachines",
              "list watch",
              "image/Users",
              "from(VirtualMachine.class"),
          use(
              MACHINES,
              "hostpathroots",
              "list watch",
              "roots/RootWatch",
              "from(HostPathRoot.class"),
          use(CORE, "nodes", "list watch", "nodes/NodePods", "from(Node.class"));

  /** Of LANs, by every operator. */
  private static final List<Use> NETWORK_READ_USES =
      List.of(
          use(
              MACHINES,
              "bridgenetworks",
              "list watch",
              "machine/VirtualMachineReconciler",
              "NamedWatch.of(BridgeNetwork.class"));

  /** And what one of a cluster does beside. */
  private static final List<Use> NETWORK_USES =
      List.of(
          use(
              MACHINES,
              "bridgenetworks",
              "list watch",
              "network/BridgeNetworkReconciler",
              "Reconciler<BridgeNetwork>"),
          use(
              MACHINES,
              "bridgenetworks/status",
              "patch",
              "network/BridgeNetworkReconciler",
              "UpdateControl.patchStatus("),
          use(
              MACHINES,
              "virtualmachines",
              "list watch",
              "network/Cards",
              "from(VirtualMachine.class"),
          use(CORE, "pods", "list watch", "network/Cards", "from(Pod.class"),
          use(CORE, "nodes", "list watch", "nodes/NodePods", "from(Node.class"));

  /** In the operator's own namespace. JOSDK does not start without update, though it patches. */
  private static final List<Use> OWN_USES =
      List.of(
          use(
              LEASES,
              "leases",
              "get create update patch",
              "machine/MachineBeans",
              "aLeaderElectionConfiguration(\"qemu-operator\")"),
          use(
              CORE,
              "secrets",
              "get create",
              "machine/AuthorityStore",
              "SECRET = \"qemu-operator-ca\""));

  /** And there, of the one that looks after images or networks. */
  private static final List<Use> NODE_POD_USES =
      List.of(
          use(CORE, "pods", "list watch", "nodes/NodePods", "from(Pod.class"),
          use(CORE, "pods", "create", "nodes/NodePods", "client.resource(pod).create()"),
          use(CORE, "pods", "delete", "nodes/NodePods", "client.resource(pod).delete()"));

  /** Of the one that looks after images alone. */
  private static final List<Use> PRE_PULL_USES =
      List.of(use(CORE, "pods/log", "get", "logs/PodLogs", ".getLog()"));

  /** Of disks with the storage nodeLocal. */
  private static final List<Use> NODE_LOCAL_USES =
      List.of(
          use(
              CORE,
              "persistentvolumes",
              "list watch",
              "volume/NodeLocalProvisioner",
              "client.persistentVolumes()"),
          use(
              CORE,
              "persistentvolumes",
              "create",
              "volume/NodeLocalProvisioner",
              "client.resource(volume).create()"),
          use(
              CORE,
              "persistentvolumes",
              "patch",
              "volume/NodeLocalProvisioner",
              "client.resource(volume).patch("),
          use(
              CORE,
              "persistentvolumes",
              "delete",
              "volume/NodeLocalProvisioner",
              "client.resource(volume).delete()"),
          use(
              CORE,
              "persistentvolumeclaims",
              "list watch",
              "volume/NodeLocalProvisioner",
              "client.persistentVolumeClaims()"),
          use(
              CORE,
              "persistentvolumeclaims/status",
              "patch",
              "volume/NodeLocalProvisioner",
              "client.resource(claim).subresource(\"status\").patch("),
          use(
              CORE,
              "nodes",
              "get",
              "volume/NodeLocalProvisioner",
              "client.nodes().withName(name).get()"),
          use(CORE, "nodes", "list", "volume/NodeLocalProvisioner", "client.nodes().withLabel("));

  /** In the operator's own namespace. */
  private static final List<Use> REMOVER_USES =
      List.of(
          use(
              CORE,
              "pods",
              "list watch",
              "volume/NodeLocalProvisioner",
              ".pods().inNamespace(namespace)"),
          use(
              CORE,
              "pods",
              "create",
              "volume/NodeLocalProvisioner",
              "client.resource(remover).create()"),
          use(
              CORE,
              "pods",
              "delete",
              "volume/NodeLocalProvisioner",
              "client.resource(remover).delete()"));

  private static final String NODE_LOCAL_RULES = "helm/qemu-operator/templates/node-local.yaml";

  @Test
  void operatorMakesVolumesUnlessAnotherDoes() {
    assertAllowed(
        clusterRole("-node-local", Chart.render()).getRules(), NODE_LOCAL_USES, NODE_LOCAL_RULES);
    assertThat(Chart.render("nodeLocal: {enabled: false}").kinds()).doesNotContain("StorageClass");
  }

  @Test
  void operatorMayDoInNamespacesWhatItsCodeDoes() {
    assertAllowed(clusterRole("-machines", Chart.render()).getRules(), MACHINE_USES, MACHINE_RULES);
  }

  @Test
  void operatorMayDoInItsOwnNamespaceWhatItsCodeDoes() {
    Role own = Chart.render().the(Role.class);
    assertThat(own.getMetadata().getNamespace()).isEqualTo(Chart.NAMESPACE);
    assertAllowed(
        own.getRules(),
        Stream.of(OWN_USES, NODE_POD_USES, PRE_PULL_USES, REMOVER_USES)
            .flatMap(List::stream)
            .toList(),
        OWN_RULES);
    assertAllowed(
        ownRules("{images: {manage: false}, nodeLocal: {enabled: false}}"),
        Stream.of(OWN_USES, NODE_POD_USES).flatMap(List::stream).toList(),
        OWN_RULES);
    assertAllowed(
        ownRules(
            "{images: {manage: false}, networks: {manage: false}, nodeLocal: {enabled: false}}"),
        OWN_USES,
        OWN_RULES);
  }

  private static List<PolicyRule> ownRules(String values) {
    return Chart.render(values).the(Role.class).getRules();
  }

  @Test
  void operatorReadsNoOtherLeaseOrSecretOfItsOwnNamespace() {
    List<PolicyRule> rules = Chart.render().the(Role.class).getRules();
    assertThat(rules)
        .filteredOn(rule -> !rule.getVerbs().equals(List.of("create")))
        .filteredOn(rule -> !rule.getResources().getFirst().startsWith("pods"))
        .extracting(PolicyRule::getResources, PolicyRule::getResourceNames)
        .containsExactlyInAnyOrder(
            tuple(List.of("leases"), List.of("qemu-operator")),
            tuple(List.of("secrets"), List.of("qemu-operator-ca")));
  }

  @Test
  void operatorLooksAfterImagesUnlessAnotherDoes() {
    assertAllowed(clusterRole("-images", Chart.render()).getRules(), IMAGE_USES, IMAGE_RULES);
    assertAllowed(
        clusterRole("-images", Chart.render("images: {manage: false}")).getRules(),
        IMAGE_READ_USES,
        IMAGE_RULES);
  }

  @Test
  void operatorGivesAddressesUnlessAnotherDoes() {
    assertAllowed(clusterRole("-networks", Chart.render()).getRules(), NETWORK_USES, NETWORK_RULES);
    assertAllowed(
        clusterRole("-networks", Chart.render("networks: {manage: false}")).getRules(),
        NETWORK_READ_USES,
        NETWORK_RULES);
  }

  /** A row whose code is gone would keep a right that nobody needs. */
  @Test
  void everyRightStillHasItsUse() throws IOException {
    for (Use use :
        Stream.of(
                MACHINE_USES,
                OWN_USES,
                NODE_POD_USES,
                PRE_PULL_USES,
                IMAGE_READ_USES,
                IMAGE_USES,
                NETWORK_READ_USES,
                NETWORK_USES,
                NODE_LOCAL_USES,
                REMOVER_USES)
            .flatMap(List::stream)
            .toList()) {
      Path file = Path.of("src/main/java/dev/qemuoperator", use.file() + ".java");
      assertThat(file)
          .as("%s names a class that is gone: delete the row or name the new one", use)
          .exists();
      assertThat(Files.readString(file).replaceAll("\\s", ""))
          .as(
              "%s does not contain «%s» any more: delete the row and its right, or tell the new"
                  + " code",
              file, use.code())
          .contains(use.code().replaceAll("\\s", ""));
    }
  }

  @Test
  void operatorOfSomeNamespacesHasNoRightInOthers() {
    Rendered chart =
        Chart.render(
            "{watchNamespaces: [lab, ci], userRoles: {create: false}, nodeLocal: {enabled: false}}");
    assertThat(chart.all(ClusterRole.class))
        .extracting(role -> role.getMetadata().getName())
        .containsExactlyInAnyOrder("vms-qemu-operator-images", "vms-qemu-operator-networks");

    Map<String, List<PolicyRule>> rules =
        chart.all(Role.class).stream()
            .filter(role -> role.getMetadata().getName().endsWith("-machines"))
            .collect(Collectors.toMap(role -> role.getMetadata().getNamespace(), Role::getRules));
    assertThat(rules).containsOnlyKeys("lab", "ci");
    rules.values().forEach(found -> assertAllowed(found, MACHINE_USES, MACHINE_RULES));

    assertThat(chart.all(RoleBinding.class))
        .extracting(binding -> binding.getMetadata().getNamespace())
        .containsExactlyInAnyOrder(Chart.NAMESPACE, "lab", "ci");
  }

  @Test
  void everyRoleIsBoundToTheOperatorsAccount() {
    Rendered everywhere = Chart.render();
    Rendered somewhere = Chart.render("watchNamespaces: [lab]");
    assertThat(
            Stream.of(
                    everywhere.all(RoleBinding.class).stream().map(RoleBinding::getSubjects),
                    somewhere.all(RoleBinding.class).stream().map(RoleBinding::getSubjects),
                    everywhere.all(ClusterRoleBinding.class).stream()
                        .map(ClusterRoleBinding::getSubjects))
                .flatMap(subjects -> subjects)
                .flatMap(List::stream))
        .hasSize(7)
        .containsOnly(new Subject(null, "ServiceAccount", "vms-qemu-operator", Chart.NAMESPACE));
    assertThat(somewhere.all(RoleBinding.class))
        .allSatisfy(
            binding ->
                assertThat(somewhere.all(Role.class))
                    .anyMatch(
                        role ->
                            role.getMetadata().getName().equals(binding.getRoleRef().getName())
                                && role.getMetadata()
                                    .getNamespace()
                                    .equals(binding.getMetadata().getNamespace())));
    assertThat(everywhere.all(ClusterRoleBinding.class))
        .extracting(binding -> binding.getRoleRef().getName())
        .containsExactlyInAnyOrder(
            clusterRole("-machines", everywhere).getMetadata().getName(),
            clusterRole("-images", everywhere).getMetadata().getName(),
            clusterRole("-networks", everywhere).getMetadata().getName(),
            clusterRole("-node-local", everywhere).getMetadata().getName());
  }

  @Test
  void viewersSeeMachinesAndEditorsMakeThem() {
    String aggregate = "rbac.authorization.k8s.io/aggregate-to-";
    ClusterRole view = clusterRole("-view", Chart.render());
    assertThat(view.getMetadata().getLabels())
        .containsKeys(aggregate + "view", aggregate + "edit", aggregate + "admin");
    assertThat(rights(view.getRules()))
        .containsExactlyInAnyOrderElementsOf(
            rights(
                MACHINES,
                "virtualmachines virtualmachineimages hostpathroots bridgenetworks",
                "get list watch"));

    ClusterRole edit = clusterRole("-edit", Chart.render());
    assertThat(edit.getMetadata().getLabels())
        .containsKeys(aggregate + "edit", aggregate + "admin")
        .doesNotContainKey(aggregate + "view");
    assertThat(rights(edit.getRules()))
        .containsExactlyInAnyOrderElementsOf(
            rights(MACHINES, "virtualmachines", "create update patch delete deletecollection"));
  }

  /** What a class, with its package, does with the API, and the code by which it does so. */
  private record Use(Set<Right> rights, String file, String code) {}

  private static Use use(String group, String resource, String verbs, String file, String code) {
    return new Use(rights(group, resource, verbs), file, code);
  }

  private record Right(String group, String resource, String verb) implements Comparable<Right> {
    @Override
    public String toString() {
      return verb + " " + resource + (group.isEmpty() ? "" : "." + group);
    }

    @Override
    public int compareTo(Right other) {
      return toString().compareTo(other.toString());
    }
  }

  private static void assertAllowed(List<PolicyRule> rules, List<Use> uses, String where) {
    Set<Right> allowed = rights(rules);
    for (Use use : uses) {
      assertThat(allowed)
          .as("%s.java needs a right that the chart does not give: add it to %s", use.file(), where)
          .containsAll(use.rights());
    }
    Set<Right> surplus = new TreeSet<>(allowed);
    uses.forEach(use -> surplus.removeAll(use.rights()));
    assertThat(surplus)
        .as(
            "the chart gives a right that no row of this test uses: remove it from %s, or add a row"
                + " here that says which class needs it",
            where)
        .isEmpty();
  }

  private static Set<Right> rights(Collection<PolicyRule> rules) {
    return rules.stream()
        .flatMap(
            rule ->
                rule.getApiGroups().stream()
                    .flatMap(
                        group ->
                            rule.getResources().stream()
                                .flatMap(
                                    resource ->
                                        rule.getVerbs().stream()
                                            .map(verb -> new Right(group, resource, verb)))))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<Right> rights(String group, String resource, String verbs) {
    return Arrays.stream(resource.split(" "))
        .flatMap(name -> Arrays.stream(verbs.split(" ")).map(verb -> new Right(group, name, verb)))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static ClusterRole clusterRole(String suffix, Rendered chart) {
    return chart.all(ClusterRole.class).stream()
        .filter(role -> role.getMetadata().getName().endsWith(suffix))
        .findFirst()
        .orElseThrow(() -> new AssertionError("the chart has no ClusterRole *" + suffix));
  }
}
