package dev.qemuoperator.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.Golden;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.Outcome;
import dev.qemuoperator.cluster.TestNamespace;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusCause;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A real API server takes what the schema of each kind allows, and says what is wrong else. */
class SchemaIT {

  private static final Path FILES = Path.of("src/test/resources/schema");
  private static final List<String> KINDS =
      List.of("virtualmachine", "virtualmachineimage", "hostpathroot", "bridgenetwork");

  private static final String VERSION = "jsonpath={.metadata.resourceVersion}";

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static KubernetesClient client;

  @BeforeAll
  static void installCrd() throws IOException {
    client = Cluster.get().client();
    for (String kind : KINDS) {
      client
          .resource(Files.readString(crd(kind)))
          .fieldValidation(Validation.STRICT)
          .forceConflicts()
          .serverSideApply();
      client
          .apiextensions()
          .v1()
          .customResourceDefinitions()
          .withName(crd(kind).getFileName().toString().replaceAll("\\.yaml$", ""))
          .waitUntilCondition(SchemaIT::isEstablished, 30, TimeUnit.SECONDS);
    }
  }

  private static boolean isEstablished(CustomResourceDefinition crd) {
    return crd != null
        && crd.getStatus() != null
        && crd.getStatus().getConditions() != null // a CRD that was made a moment ago
        && crd.getStatus().getConditions().stream()
            .anyMatch(c -> c.getType().equals("Established") && c.getStatus().equals("True"));
  }

  private static Path crd(String kind) {
    return Path.of("crds", kind + "s.qemu-operator.dev.yaml");
  }

  static List<String> kinds() {
    return KINDS;
  }

  static Stream<SchemaDocument> valid() {
    return documents("valid-");
  }

  static Stream<SchemaDocument> invalid() {
    return documents("invalid-");
  }

  private static Stream<SchemaDocument> documents(String prefix) {
    return KINDS.stream().flatMap(kind -> SchemaDocument.list(FILES.resolve(kind), prefix));
  }

  @ParameterizedTest
  @MethodSource("valid")
  void validIsAccepted(SchemaDocument document) {
    assertThat(complaints(document)).as("%s is to be accepted", document).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("invalid")
  void invalidIsRefusedWithItsErrorsAndNoOther(SchemaDocument document) {
    List<String> complaints =
        complaints(document).stream()
            .map(cause -> cause.getField() + ": " + cause.getMessage())
            .toList();

    assertThat(document.errors())
        .as("%s has to begin with a line '# error: …' for each complaint", document)
        .isNotEmpty();
    assertThat(complaints)
        .as("complaints of %s that no line '# error: …' of it names", document)
        .allMatch(complaint -> document.errors().stream().anyMatch(complaint::contains));
    assertThat(document.errors())
        .as("lines '# error: …' of %s that none of these complaints has: %s", document, complaints)
        .allMatch(error -> complaints.stream().anyMatch(complaint -> complaint.contains(error)));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void everyRuleIsBrokenBySomeFile(String kind) throws IOException {
    var crd = Serialization.unmarshal(Files.readString(crd(kind)), CustomResourceDefinition.class);
    JSONSchemaProps schema =
        crd.getSpec().getVersions().getFirst().getSchema().getOpenAPIV3Schema();
    List<StatusCause> causes =
        SchemaDocument.list(FILES.resolve(kind), "invalid-")
            .flatMap(document -> complaints(document).stream())
            .toList();

    assertThat(SchemaConstraint.of(schema))
        .filteredOn(constraint -> causes.stream().noneMatch(constraint::isBrokenBy))
        .as("rules that nothing breaks: add an invalid-….yaml for each to %s/%s", FILES, kind)
        .isEmpty();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void defaultsAreFilledIn(String kind) {
    Path files = FILES.resolve(kind);
    SchemaDocument minimal = SchemaDocument.list(files, "valid-minimal").findFirst().get();

    GenericKubernetesResource filled = resource(minimal.resources().getFirst()).dryRun().create();

    Golden.assertMatches(
        files.resolve("defaults-minimal.yaml"),
        Serialization.asYaml(filled.getAdditionalProperties()));
  }

  /**
   * Once an operator has looked at it: before, the default of the status is not stored yet. kubectl
   * itself says "configured": it does not know of defaults in list items.
   */
  @ParameterizedTest
  @ValueSource(strings = {"--server-side=false", "--server-side=true"})
  void applyingTheSameAgainChangesNothing(String mode) throws IOException {
    String manifest = Files.readString(FILES.resolve("virtualmachine/valid-full.yaml"));
    String[] apply = {"apply", mode, "-n", NAMESPACE.name(), "-f", "-", "-o", VERSION};

    Cluster.get().kubectlWithInput(manifest, apply).text();
    String seen = kubectlPatchStatus("full", "{\"status\":{\"observedGeneration\":1}}");
    String again = Cluster.get().kubectlWithInput(manifest, apply).text();
    Cluster.get().kubectl("delete", "-n", NAMESPACE.name(), "qvm", "full").text();

    assertThat(seen).isNotEmpty();
    assertThat(again).as("metadata.resourceVersion").isEqualTo(seen);
  }

  private static String kubectlPatchStatus(String name, String patch) {
    return Cluster.get()
        .kubectl(
            "patch",
            "qvm",
            name,
            "-n",
            NAMESPACE.name(),
            "--subresource=status",
            "--type=merge",
            "-p",
            patch,
            "-o",
            VERSION)
        .text();
  }

  @Test
  void kubectlGetShowsColumns() throws IOException {
    GenericKubernetesResource running =
        Serialization.unmarshal(
            Files.readString(FILES.resolve("virtualmachine/status-columns.yaml")),
            GenericKubernetesResource.class);
    Object status = running.getAdditionalProperties().get("status");
    GenericKubernetesResource created = resource(running).create();
    created.setAdditionalProperty("status", status);
    resource(created).updateStatus();

    assertThat(words("get", "qvm", "columns"))
        .containsExactly(
            List.of("NAME", "STATUS", "READY", "IP", "NODE", "CPU", "MEM", "AGE"),
            List.of("columns", "Running", "True", "10.42.0.7", "n1", "2", "512Mi", "*"));
    assertThat(words("get", "qvm", "columns", "-o", "wide"))
        .containsExactly(
            List.of(
                "NAME",
                "STATUS",
                "READY",
                "IP",
                "NODE",
                "CPU",
                "MEM",
                "AGE",
                "MAC",
                "ACCEL",
                "RESTARTS",
                "LASTEXIT"),
            List.of(
                "columns",
                "Running",
                "True",
                "10.42.0.7",
                "n1",
                "2",
                "512Mi",
                "*",
                "52:54:00:12:34:56",
                "KVM",
                "3",
                "GuestReset"));
  }

  /** kubectl's table; the age is a star. */
  private static List<List<String>> words(String... arguments) {
    Outcome outcome =
        Cluster.get()
            .kubectl(
                Stream.concat(Stream.of("-n", NAMESPACE.name()), Stream.of(arguments))
                    .toArray(String[]::new));
    return outcome
        .text()
        .lines()
        .map(line -> line.replaceAll(" \\d+m?s( |$)", " * ").strip())
        .map(line -> List.of(line.split(" +")))
        .toList();
  }

  private static Resource<GenericKubernetesResource> resource(GenericKubernetesResource resource) {
    return resource.getKind().equals(VirtualMachine.KIND)
        ? client.resource(resource).inNamespace(NAMESPACE.name())
        : client.resource(resource);
  }

  /** What the API server has against the document's last resource, which is not kept. */
  private static List<StatusCause> complaints(SchemaDocument document) {
    GenericKubernetesResource last = document.resources().getLast();
    if (document.resources().size() == 1) {
      return complaints(() -> resource(last).dryRun().fieldValidation(Validation.STRICT).create());
    }
    Resource<GenericKubernetesResource> before = resource(document.resources().getFirst());
    before.serverSideApply();
    try {
      return complaints(
          () -> resource(last).dryRun().fieldValidation(Validation.STRICT).serverSideApply());
    } finally {
      before.delete();
    }
  }

  private static List<StatusCause> complaints(Runnable request) {
    try {
      request.run();
      return List.of();
    } catch (KubernetesClientException e) {
      Status status = e.getStatus();
      if (status == null || status.getDetails() == null || !"Invalid".equals(status.getReason())) {
        return List.of(new StatusCause("", e.getMessage(), String.valueOf(e.getCode())));
      }
      return status.getDetails().getCauses().stream()
          .filter(cause -> !cause.getMessage().contains("some validation rules were not checked"))
          .toList();
    }
  }
}
