package dev.qemuoperator;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The map of the code, as docs and package-info.java draw it. A failure says what to do. */
@AnalyzeClasses(packages = "dev.qemuoperator", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

  private static final Path MAIN = Path.of("src", "main", "java");
  private static final int LONGEST_RECONCILER = 175;

  private static final String API = "dev.qemuoperator.api..";
  private static final String[] CORE = {
    "dev.qemuoperator.qemu..",
    "dev.qemuoperator.cloudinit..",
    "dev.qemuoperator.pod..",
    "dev.qemuoperator.status.."
  };
  private static final String[] EDGES = {"dev.qemuoperator.qmp..", "dev.qemuoperator.pki.."};

  @ArchTest
  static final ArchRule apiKnowsNobody =
      noClasses()
          .that()
          .resideInAPackage(API)
          .should()
          .dependOnClassesThat(oursBut(API))
          .because("users read these records alone: move the logic to the package that needs it");

  @ArchTest
  static final ArchRule coreKnowsApiAndCoreAlone =
      noClasses()
          .that()
          .resideInAnyPackage(CORE)
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.qemuoperator..")
                  .and(DescribedPredicate.not(resideInAnyPackage(CORE)))
                  .and(DescribedPredicate.not(resideInAPackage(API))))
          .because(
              "the core is values in, values out: let the shell (machine) read what is needed, and"
                  + " pass it as a parameter");

  @ArchTest
  static final ArchRule coreDoesNoIo =
      noClasses()
          .that()
          .resideInAnyPackage(CORE)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.fabric8.kubernetes.client",
              "io.fabric8.kubernetes.client.dsl..",
              "io.fabric8.kubernetes.client.informers..",
              "io.javaoperatorsdk..",
              "io.quarkus..",
              "jakarta..",
              "java.net..",
              "java.nio.file..")
          .because(
              "golden scenarios run the core without a cluster: read and write in machine; models"
                  + " and Serialization may be used");

  @ArchTest
  static final ArchRule edgesKnowApiAlone =
      noClasses()
          .that()
          .resideInAnyPackage(EDGES)
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.qemuoperator..")
                  .and(DescribedPredicate.not(resideInAPackage(API)))
                  .and(notInOwnEdge()))
          .because("an edge is a socket or a certificate: translate to our words in machine");

  @ArchTest
  static final ArchRule qmpKnowsNoPki =
      noClasses()
          .that()
          .resideInAPackage(EDGES[0])
          .should()
          .dependOnClassesThat()
          .resideInAPackage(EDGES[1])
          .because("edges do not know each other: hand over an SSLContext");

  @ArchTest
  static final ArchRule pkiKnowsNoQmp =
      noClasses()
          .that()
          .resideInAPackage(EDGES[1])
          .should()
          .dependOnClassesThat()
          .resideInAPackage(EDGES[0])
          .because("edges do not know each other: hand over an SSLContext");

  @ArchTest
  static final ArchRule machineKnowsNoOtherKind =
      noClasses()
          .that()
          .resideInAPackage("dev.qemuoperator.machine..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.qemuoperator.image..")
          .because("kinds meet in the API alone: read the other one's status, as ImageWatch does");

  @ArchTest
  static final ArchRule imageKnowsNoOtherKind =
      noClasses()
          .that()
          .resideInAPackage("dev.qemuoperator.image..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.qemuoperator.machine..")
          .because("kinds meet in the API alone: read the other one's status, as Users does");

  @ArchTest
  static final ArchRule whatKindsShareKnowsNoKind =
      noClasses()
          .that()
          .resideInAnyPackage(
              "dev.qemuoperator.logs..", "dev.qemuoperator.roots..", "dev.qemuoperator.nodes..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.qemuoperator.machine..",
              "dev.qemuoperator.image..",
              "dev.qemuoperator.network..")
          .because("each kind reads logs, roots and nodes: translate to its words there");

  @ArchTest
  static final ArchRule volumeKnowsNoKindAndNoKindKnowsIt =
      slices()
          .matching("dev.qemuoperator.(machine|image|volume)..")
          .should()
          .notDependOnEachOther()
          .because("a kind asks for a volume by a claim of a StorageClass, as anybody does");

  @ArchTest
  static final ArchRule machineAloneCounts =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.qemuoperator.machine..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.micrometer..")
          .because(
              "what is measured has one reference, docs/metrics.md, and one place: tell a listener,"
                  + " as qmp tells its ConnectionListener, and let machine.MachineMetrics count");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices()
          .matching("dev.qemuoperator.(*)..")
          .should()
          .beFreeOfCycles()
          .because("a cycle makes two packages one: move what both need to the lower one");

  @ArchTest
  static final ArchRule namesSayWhatAClassIs =
      noClasses()
          .should()
          .haveNameMatching(
              ".*\\.([A-Za-z]*(Util|Utils|Helper|Helpers|Manager)|Constants|Abstract[A-Z]\\w*|\\w+Impl)")
          .because(
              "such a name is a drawer for anything: name the class after the one thing that it is,"
                  + " or put the method where its data is");

  @ArchTest
  static final ArchRule nothingSleepsButTheQmpMonitor =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.qemuoperator.qmp.Monitor")
          .should()
          .callMethod(Thread.class, "sleep", long.class)
          .orShould()
          .callMethod(Thread.class, "sleep", java.time.Duration.class)
          .orShould()
          .callMethod(Thread.class, "sleep", long.class, int.class)
          .because(
              "a sleep blocks a reconciler and hides a race: reschedule, or wait for an event. Only"
                  + " the monitor's own virtual thread may pause between two attempts to connect");

  @ArchTest
  static final ArchRule nothingWritesPastTheLog =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.util.logging..")
          .orShould()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err")
          .because("use org.jboss.logging or slf4j, which the chart's log settings reach");

  @ArchTest
  static final ArchRule reconcilersAreNamedSo =
      classes()
          .that()
          .implement("io.javaoperatorsdk.operator.api.reconciler.Reconciler")
          .should()
          .haveSimpleNameEndingWith("Reconciler")
          .because("a reader looks for the table of contents by that name: rename the class");

  @Test
  void everyPackageHasItsPageOfTheMap() throws IOException {
    try (Stream<Path> files = Files.walk(MAIN)) {
      List<Path> unmapped =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .map(Path::getParent)
              .distinct()
              .filter(directory -> !Files.exists(directory.resolve("package-info.java")))
              .toList();
      assertThat(unmapped)
          .as(
              "packages without package-info.java: add one of 3-8 lines that says what enters, what"
                  + " leaves and what may not be imported")
          .isEmpty();
    }
  }

  @Test
  void reconcilersAreTablesOfContents() throws IOException {
    try (Stream<Path> files = Files.walk(MAIN)) {
      for (Path file : files.filter(f -> f.toString().endsWith("Reconciler.java")).toList()) {
        assertThat(Files.readAllLines(file))
            .as(
                "%s: a reconciler reads, decides, builds, applies and reports; move how it does so"
                    + " into the class of that step",
                file)
            .hasSizeLessThanOrEqualTo(LONGEST_RECONCILER);
      }
    }
  }

  private static DescribedPredicate<JavaClass> oursBut(String pattern) {
    return resideInAPackage("dev.qemuoperator..")
        .and(DescribedPredicate.not(resideInAPackage(pattern)));
  }

  /** The two edges are kept apart by rules of their own. */
  private static DescribedPredicate<JavaClass> notInOwnEdge() {
    return DescribedPredicate.not(resideInAnyPackage(EDGES));
  }
}
