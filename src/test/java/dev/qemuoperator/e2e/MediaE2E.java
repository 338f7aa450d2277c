package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is in a CD-ROM drive is changed while the guest runs. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MediaE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final String FIRST = "first.iso";
  private static final String SECOND = "second.iso";

  /** A pod fetches it: that has to start, and 20 MB to be checked. */
  private static final Duration BROUGHT = Duration.ofMinutes(2);

  /** The guest looks into its drive when it is asked to read. */
  private static final Duration SEEN = Duration.ofSeconds(20);

  private static final String MOUNT =
      "mkdir -p /tmp/cd; mount -o ro -t iso9660 /dev/sr0 /tmp/cd && ls /tmp/cd";

  private static ImageServer server;
  private static Vm vm;
  private static String pod;
  private static double uptime;

  @BeforeAll
  static void boot() {
    Installation.get();
    server = ImageServer.start(NAMESPACE.name());
    // each image has its name behind its end, where a drive reads whole blocks only
    server.publishLarge(FIRST, 1);
    server.publishLarge(SECOND, 1);
    vm =
        Vm.tiny(
            NAMESPACE.name(),
            "media",
            "cdroms: [{name: iso, source: %s}]".formatted(source(FIRST)));
    vm.awaitReady();
    pod = vm.podUid();
    assertGuestReads(FIRST);
    uptime = vm.uptime();
  }

  @Test
  @Order(1)
  void guestReadsAnotherCdAndHasNotBeenStartedAgain() {
    change(source(SECOND));
    awaitMedium(SECOND);
    assertGuestReads(SECOND);
    assertIsTheSameGuest();
    vm.awaitCondition("RestartRequired", "False", "UpToDate", Vm.TOLD);
    Awaitility.await("the pod that fetched it has gone")
        .atMost(SEEN)
        .until(() -> mediumPods().isEmpty());
    assertThat(vm.eventReasons()).contains("MediumInserted").doesNotContain("RestartRequired");
  }

  @Test
  @Order(2)
  void mountedCdStaysUntilTheGuestLetsItGo() {
    assertThat(vm.run(MOUNT)).contains("boot");
    change(source(FIRST));
    awaitHeldUpBy("TrayLocked", BROUGHT);
    assertThat(vm.status().cdroms().getFirst().digest()).isEqualTo(checksum(SECOND));
    assertThat(vm.run("grep -o tiny.from=cdrom /tmp/cd/boot/grub/grub.cfg")).contains("tiny.from");
    assertThat(mediumPods()).as("what holds the file in the node's cache").hasSize(1);

    vm.run("umount /tmp/cd");
    awaitMedium(FIRST);
    assertGuestReads(FIRST);
    assertIsTheSameGuest();
  }

  @Test
  @Order(3)
  void mediumThatCannotComeIsToldAndTheOldOneStays() {
    change(source("{url: \"%s/none.iso\", checksum: \"sha256:%s\"}", server.url(), "0".repeat(64)));
    VirtualMachineStatus held = awaitHeldUpBy("MediumUnavailable", BROUGHT);
    assertThat(held.pendingChanges().getFirst().message()).contains("none.iso").contains("404");
    assertGuestReads(FIRST);

    change("{image: none}");
    vm.await(
        "no such image",
        Vm.TOLD,
        now ->
            now.pendingChanges().stream()
                .anyMatch(change -> change.message().contains("no VirtualMachineImage/none")));
    assertGuestReads(FIRST);
    assertThat(vm.eventReasons()).contains("MediumNotChanged");
  }

  @Test
  @Order(4)
  void mediumIsTakenOutAndPutInAgain() {
    change("null");
    vm.await("an empty drive", SEEN, now -> now.cdroms() == null && now.pendingChanges().isEmpty());
    assertThat(vm.run("head -c 1 /dev/sr0 2>&1 || echo empty")).contains("empty");
    assertThat(vm.eventReasons()).contains("MediumEjected");

    change(source(SECOND));
    awaitMedium(SECOND);
    assertGuestReads(SECOND);
    assertIsTheSameGuest();
  }

  /** The command line of its pod still has the first one. */
  @Test
  @Order(5)
  void killedGuestHasTheMediumThatTheSpecSays() {
    vm.inPod("sh", "-c", "kill -9 $(pidof qemu-system-x86_64)");
    vm.awaitExit("HostSignal", Vm.TOLD);
    vm.awaitReady();
    awaitMedium(SECOND);
    assertGuestReads(SECOND);
    assertThat(vm.boots()).isGreaterThan(1);
    vm.delete();
  }

  private static String source(String file) {
    return source("{url: \"%s/%s\", checksum: \"%s\"}", server.url(), file, checksum(file));
  }

  private static String source(String http, Object... arguments) {
    return "{http: " + http.formatted(arguments) + "}";
  }

  private static String checksum(String file) {
    return server.publishedChecksum(file);
  }

  private static void change(String source) {
    vm.patch("spec: {cdroms: [{name: iso, source: %s}]}".formatted(source));
  }

  private static void awaitMedium(String file) {
    String digest = checksum(file);
    vm.await(
        file + " in the drive",
        BROUGHT,
        now ->
            now.cdroms() != null
                && digest.equals(now.cdroms().getFirst().digest())
                && now.pendingChanges().isEmpty());
  }

  private static VirtualMachineStatus awaitHeldUpBy(String reason, Duration patience) {
    return vm.await(
        "a change that is held up by " + reason,
        patience,
        now ->
            now.pendingChanges() != null
                && now.pendingChanges().stream()
                    .anyMatch(change -> reason.equals(change.reason())));
  }

  private static void assertGuestReads(String file) {
    String script =
        "dd if=/dev/sr0 bs=2048 skip=$(($(cat /sys/block/sr0/size) / 4 - 512)) count=1 2>/dev/null | head -n 1";
    String name = NAMESPACE.name() + "/" + file;
    Awaitility.await("the guest reads " + file)
        .atMost(SEEN)
        .ignoreException(KubernetesClientException.class)
        .until(() -> vm.run(script).strip().equals(name));
  }

  private static void assertIsTheSameGuest() {
    assertThat(vm.podUid()).isEqualTo(pod);
    double now = vm.uptime();
    assertThat(now).as("no reboot").isGreaterThan(uptime);
    uptime = now;
  }

  private static List<Pod> mediumPods() {
    return Cluster.get()
        .client()
        .pods()
        .inNamespace(NAMESPACE.name())
        .withLabel("app.kubernetes.io/component", "medium")
        .list()
        .getItems();
  }
}
