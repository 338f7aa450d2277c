package dev.qemuoperator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.cluster.Cluster;
import dev.qemuoperator.cluster.TestNamespace;
import dev.qemuoperator.e2e.DebianCards.Renderer;
import io.fabric8.kubernetes.api.model.Condition;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real Debian with a real cloud-init, from its first boot on; few boots, because each is slow.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DebianE2E {

  @RegisterExtension static final TestNamespace NAMESPACE = new TestNamespace();

  private static final Duration BOOT = Duration.ofMinutes(10);

  @TempDir static Path keys;

  private static Vm vm;
  private static Ssh ssh;
  private static DebianCards cards;
  private static String hostKey;

  @BeforeAll
  static void boot() throws IOException {
    Installation.get();
    ssh = Ssh.client(NAMESPACE.name(), keys);
    cards = DebianCards.start(NAMESPACE.name());
    Vm.apply(NAMESPACE.name(), base("written by the ConfigMap"));
    Vm.apply(
        NAMESPACE.name(),
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: team}
        data:
          user-data: |
            #cloud-config
            write_files:
            - {path: /etc/from-team, content: "written by the second layer"}
            runcmd:
            - echo team >> /root/ran
            timezone: Europe/Berlin
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: token}
        stringData:
          user-data: |
            #cloud-config
            write_files:
            - {path: /etc/from-secret, content: "hunter2", permissions: "0600"}
        """);
    vm =
        Vm.apply(
            NAMESPACE.name(),
            "web",
            """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachine
            metadata: {name: web}
            spec:
              cpu: {cores: 2}
              memory: {size: 512Mi}
              readinessProbe: {tcpSocket: {port: 22}}
              disks:
              - name: root
                size: 4Gi
                source: {containerImage: {image: "%s"}}
                storage: {claim: {}}
              cloudInit:
                sources:
                - configMapRef: {name: base}
                - configMapRef: {name: team}
                - secretRef: {name: token}
            """
                    .formatted(Installation.image("guest-debian"))
                + DebianCards.SPEC);
    vm.awaitCondition("Ready", "True", "Running", BOOT);
    ssh.await("cloud-init is done", vm, "cloud-init status --wait >/dev/null; echo up", BOOT);
  }

  @AfterAll
  static void remove() {
    Cluster.get().kubectl("delete", "qvm", "--all", "-n", NAMESPACE.name()).text();
    if (cards != null) {
      cards.close();
    }
  }

  @Test
  @Order(1)
  void keyOfTheConfigMapLogsInAndFindsEveryLayer() {
    assertThat(ssh.run(vm, "hostname")).isEqualTo("from-configmap");
    assertThat(ssh.run(vm, "cat /etc/from-base")).isEqualTo("written by the ConfigMap");
    assertThat(ssh.run(vm, "cat /etc/from-team")).isEqualTo("written by the second layer");
    assertThat(ssh.run(vm, "sudo cat /etc/from-secret")).isEqualTo("hunter2");
    assertThat(ssh.run(vm, "sudo cat /root/ran"))
        .as("lists of the layers are appended, in their order")
        .isEqualTo("base\nteam");
    assertThat(ssh.run(vm, "cat /etc/timezone; readlink /etc/localtime"))
        .as("of two values the later layer's wins")
        .contains("Europe/Berlin");
    assertThat(ssh.run(vm, "cloud-init status")).contains("status: done");
    assertThat(ssh.run(vm, "df --output=size -BM / | tail -1").strip())
        .as("the root file system has grown to the disk's size")
        .matches("3[0-9]{3}M");
    hostKey = ssh.run(vm, "cat /etc/ssh/ssh_host_ed25519_key.pub");
  }

  @Test
  @Order(2)
  void statusSaysWhatTheGuestBootedWith() {
    VirtualMachineStatus status = vm.status();
    assertThat(status.cloudInit().bootedHash()).isEqualTo(status.cloudInit().desiredHash());
    assertThat(ssh.run(vm, "cat /var/lib/cloud/data/instance-id"))
        .isEqualTo(status.cloudInit().instanceId())
        .startsWith(vm.resource().get().getMetadata().getUid());
    assertThat(vm.condition("CloudInitCurrent").orElseThrow().getReason()).isEqualTo("Current");
  }

  @Test
  @Order(3)
  void guestReportsTheEndOfCloudInitAndAnotherOperatorHasItToo() {
    reported();
    Installation.get().kill();
    Installation.get().awaitReady();
    vm.awaitReady();
    reported();
  }

  private static void reported() {
    VirtualMachineStatus status =
        vm.await(
            "the report", BOOT, now -> now.guest() != null && now.cloudInit().result() != null);
    assertThat(status.cloudInit().result()).isEqualTo("done");
    assertThat(status.cloudInit().finishedAt()).isNotNull();
    assertThat(status.guest().hostname()).isEqualTo("from-configmap");
    assertThat(status.guest().osName()).startsWith("Debian GNU/Linux 13");
    assertThat(status.guest().kernel()).isEqualTo(ssh.run(vm, "uname -r"));
    assertThat(status.guest().addresses()).contains("10.0.2.15");
    assertThat(status.guest().sshHostKeys())
        .contains(ssh.run(vm, "cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub"));
  }

  @Test
  @Order(2)
  void networkdSetsTheCardsUp() {
    cards.areAsTheSpecSays(Renderer.NETWORKD, ssh, vm);
  }

  @Test
  @Order(3)
  void guestReportsAnAddressThatItGetsLater() {
    ssh.run(vm, "sudo ip addr add 192.0.2.7/32 dev $(ip -o route show default | cut -d ' ' -f 5)");
    vm.await("it", Vm.REPORTED_AGAIN, now -> now.guest().addresses().contains("192.0.2.7"));
    assertThat(vm.status().cloudInit().result()).isEqualTo("done");
  }

  @Test
  @Order(3)
  void passwordsAndRootAreRefused() {
    assertThat(ssh.tryRun("root", vm, "true")).contains("Permission denied");
    assertThat(ssh.methodsOffered(vm)).contains("publickey").doesNotContain("password");
    assertThat(ssh.run(vm, "sudo sshd -T | grep -E '^(passwordauthentication|permitrootlogin)'"))
        .contains("passwordauthentication no");
  }

  @Test
  @Order(4)
  void rebootInsideTheGuestDoesNotRunCloudInitAgain() {
    String bootId = bootId();
    ssh.tryRun("demo", vm, "sudo systemctl reboot");
    ssh.await(
        "the guest is back",
        vm,
        "grep -qv " + bootId + " /proc/sys/kernel/random/boot_id && echo up",
        BOOT);
    ssh.run(vm, "cloud-init status --wait >/dev/null || true");
    reported();
    assertThat(ssh.run(vm, "sudo cat /root/ran")).isEqualTo("base\nteam");
    assertThat(ssh.run(vm, "cat /etc/ssh/ssh_host_ed25519_key.pub")).isEqualTo(hostKey);
    assertThat(vm.livePod().getStatus().getContainerStatuses().getFirst().getRestartCount())
        .as("a reboot stays inside QEMU")
        .isZero();
  }

  @Test
  @Order(5)
  void editedConfigMapIsNamedAndAppliedByTheNextPod() throws IOException {
    Vm.apply(NAMESPACE.name(), base("edited"));
    vm.awaitCondition("CloudInitCurrent", "False", "Changed", Duration.ofSeconds(10));
    assertThat(vm.condition("CloudInitCurrent").map(Condition::getMessage).orElseThrow())
        .contains("ConfigMap/base")
        .doesNotContain("ConfigMap/team", "Secret/token");
    assertThat(ssh.run(vm, "cat /etc/from-base")).isEqualTo("written by the ConfigMap");

    DebianCards.nextInstanceIsSetUpBy(Renderer.NETPLAN, ssh, vm);
    String pod = vm.podUid();
    vm.pod().delete();
    vm.await("a new pod", BOOT, status -> !vm.podUid().isEmpty() && !vm.podUid().equals(pod));
    ssh.await("the new content", vm, "grep -x edited /etc/from-base && echo up", BOOT);
    ssh.await(
        "cloud-init is done", vm, "cloud-init status --wait >/dev/null || true; echo up", BOOT);
    vm.awaitCondition("CloudInitCurrent", "True", "Current", Duration.ofSeconds(10));
    assertThat(ssh.run(vm, "cat /etc/ssh/ssh_host_ed25519_key.pub"))
        .as("cloud-init's ssh_deletekeys is true by default: a new instance gets new host keys")
        .isNotEqualTo(hostKey);
  }

  @Test
  @Order(6)
  void netplanSetsTheCardsUp() {
    cards.areAsTheSpecSays(Renderer.NETPLAN, ssh, vm);
  }

  @Test
  @Order(7)
  void haltedGuestPowersOffByItsButtonAndComesBackWithItsData() {
    DebianCards.nextInstanceIsSetUpBy(Renderer.ENI, ssh, vm);
    ssh.run(vm, "sudo cloud-init clean && echo precious > data && sync");
    vm.setRunStrategy("Halted");
    vm.awaitCondition("Running", "False", "Halted", Duration.ofMinutes(3));
    assertThat(vm.status().lastExit().cause()).isEqualTo("Requested");

    vm.setRunStrategy("Always");
    vm.awaitCondition("Ready", "True", "Running", BOOT);
    ssh.await("the guest is back", vm, "echo up", BOOT);
    assertThat(ssh.run(vm, "cat data")).isEqualTo("precious");
    assertThat(ssh.run(vm, "sudo journalctl -b -1 --no-pager | tail -n 300"))
        .as("the guest's own log of its last boot")
        .containsPattern("(?i)power key pressed|Powering off|System is powering down");
  }

  @Test
  @Order(8)
  void ifupdownSetsTheCardsUp() {
    ssh.await(
        "cloud-init is done", vm, "cloud-init status --wait >/dev/null || true; echo up", BOOT);
    cards.areAsTheSpecSays(Renderer.ENI, ssh, vm);
  }

  private static String bootId() {
    return ssh.run(vm, "cat /proc/sys/kernel/random/boot_id");
  }

  private static String base(String content) throws IOException {
    return """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: base}
        data:
          user-data: |
            #cloud-config
            hostname: from-configmap
            timezone: Etc/UTC
            users:
            - name: demo
              shell: /bin/bash
              sudo: "ALL=(ALL) NOPASSWD:ALL"
              ssh_authorized_keys: ["%s"]
            write_files:
            - {path: /etc/from-base, content: "%s"}
            runcmd:
            - echo base >> /root/ran
        """
        .formatted(ssh.publicKey(), content);
  }
}
