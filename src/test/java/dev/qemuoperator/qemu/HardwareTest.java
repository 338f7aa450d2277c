package dev.qemuoperator.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.Network;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.machine.Specs;
import dev.qemuoperator.qemu.Attachment.BaseImage;
import dev.qemuoperator.qemu.Attachment.ClaimVolume;
import dev.qemuoperator.qemu.Attachment.EphemeralVolume;
import dev.qemuoperator.qemu.Attachment.MemoryVolume;
import dev.qemuoperator.qemu.Attachment.SecretVolume;
import dev.qemuoperator.qemu.Attachment.WrapperOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every machine, whatever its spec. */
class HardwareTest {

  private static final VmIdentity VM =
      new VmIdentity("default", "web", "6a1f1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b");

  /** As many on each bus as there can be in one machine. */
  private static final String MIXED =
      """
      disks:
      - {name: v0, size: 1Gi, source: {blank: {}}}
      - {name: s1, size: 1Gi, source: {blank: {}}, bus: SCSI}
      - {name: a2, size: 1Gi, source: {blank: {}}, bus: SATA}
      - {name: v3, size: 1Gi, source: {containerImage: {image: a}}}
      - {name: s4, size: 1Gi, source: {blank: {}}, bus: SCSI}
      - {name: a5, size: 1Gi, source: {blank: {}}, bus: SATA}
      cdroms:
      - {name: c0, source: {image: netinst}}
      - {name: c1}
      - {name: c2}
      - {name: c3}
      """;

  private static final String LANS =
      """
      networks:
      - {name: default, bridge: {network: home, address: 192.168.86.53}}
      - {name: lan-of-twenty-chars, bridge: {network: office}}
      - {name: pod, pod: {}}
      - {name: third, bridge: {network: home, dhcp: true}}
      disks: [{name: root, size: 1Gi, source: {containerImage: {image: a}}}]
      """;

  /** Files of the runner image and of the kernel that no volume brings. */
  private static final List<String> OF_THE_IMAGE = List.of("/usr/share/OVMF/", "/dev/urandom");

  static Stream<VirtualMachineSpec> machines() {
    String ten =
        IntStream.range(0, 10)
            .mapToObj(
                i ->
                    "- {name: d%d, size: 1Gi, source: {%s}, storage: {%s: {}}}"
                        .formatted(
                            i,
                            i == 0 ? "containerImage: {image: 'debian:13'}" : "blank: {}",
                            i % 2 == 0 ? "claim" : "ephemeral"))
            .collect(Collectors.joining("\n", "disks:\n", "\n"));
    return Stream.of(
        Specs.of("disks: [{name: root, size: 1Gi, source: {containerImage: {image: a}}}]\n"),
        Specs.of("networks: []\n" + ten),
        Specs.of("machine: {firmware: UEFI, accelerator: TCG, watchdog: Reset}\n" + ten),
        Specs.of("networks: [{name: lan-of-twenty-chars, pod: {}}]\ncpu: {cores: 128}\n" + ten),
        Specs.of(
            """
            machine: {firmware: UEFI}
            disks:
            - {name: seed, size: 1Gi, source: {http: {url: "http://h/a,b=c", checksum: "sha256:0"}}}
            - {name: cloud-init, size: 1Gi, source: {blank: {}}}
            - {name: nic-default, size: 1Gi, source: {blank: {}}}
            """),
        Specs.of(MIXED),
        Specs.of(LANS),
        Specs.of(
            """
            disks:
            - {name: scsi, size: 1Gi, source: {http: {url: "http://h/a,b=c", checksum: "sha256:0"}}}
            - {name: scsi-0, size: 1Gi, source: {blank: {}}, bus: SCSI}
            cdroms:
            - {name: disk-scsi, source: {http: {url: "http://h/a,b=c", checksum: "sha256:0"}}}
            - {name: ide}
            """));
  }

  @ParameterizedTest
  @MethodSource("machines")
  void noTwoDevicesShareAnId(VirtualMachineSpec spec) {
    List<String> args = arguments(spec);
    for (String option : List.of("-device", "-netdev", "-chardev", "-object")) {
      assertThat(after(option, args).flatMap(arg -> values("(?:^|,)id=([^,]+)", arg)))
          .as("ids of %s", option)
          .doesNotHaveDuplicates();
    }
    assertThat(after("-blockdev", args).flatMap(arg -> values(",node-name=([^,]+)", arg)))
        .as("block nodes")
        .doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @MethodSource("machines")
  void everyPciDeviceHasAnAddressOfItsOwn(VirtualMachineSpec spec) {
    List<String> devices =
        after("-device", arguments(spec))
            .filter(
                device ->
                    !device.matches(".*,bus=(virtio-serial\\.0,nr=|scsi\\.0,|ide\\.[0-5](,|$)).*"))
            .toList();
    assertThat(devices).allMatch(device -> device.contains("bus=pcie.0,addr=0x"));
    List<Integer> slots =
        devices.stream()
            .flatMap(device -> values(",addr=0x([0-9a-f]+)", device))
            .map(slot -> Integer.parseInt(slot, 16))
            .toList();
    assertThat(slots).doesNotHaveDuplicates();
    // 0 is the host bridge, 0x1f the chipset's own devices
    assertThat(slots).allMatch(slot -> slot > 0 && slot < 0x1f);
  }

  @ParameterizedTest
  @MethodSource("machines")
  void everyDeviceOfAnotherBusHasAPlaceOfItsOwn(VirtualMachineSpec spec) {
    List<String> args = arguments(spec);
    assertThat(after("-device", args).flatMap(device -> values("(bus=ide\\.[0-9]+)", device)))
        .doesNotHaveDuplicates()
        .allMatch(port -> port.matches("bus=ide\\.[0-5]"));
    assertThat(after("-device", args).flatMap(device -> values("(scsi-id=[0-9]+)", device)))
        .doesNotHaveDuplicates();
    assertThat(after("-device", args).filter(device -> device.contains("bus=scsi.0")).count() > 0)
        .as("a controller where there is a disk for it")
        .isEqualTo(args.contains("virtio-scsi-pci,id=scsi,bus=pcie.0,addr=0x2"));
  }

  @Test
  void anotherDiskMovesNoOtherDevice() {
    VirtualMachineSpec fewer = Specs.of(MIXED.replaceAll(".*name: (s4|a5|c3).*\n", ""));
    List<String> devices = after("-device", arguments(Specs.of(MIXED))).map(this::place).toList();
    assertThat(after("-device", arguments(fewer)).map(this::place)).isSubsetOf(devices);
  }

  /** But for its turn in the order of boot. */
  private String place(String device) {
    return device.replaceAll("bootindex=[0-9]+", "");
  }

  @ParameterizedTest
  @MethodSource("machines")
  void everyDiskStopsTheGuestBeforeItLosesAWrite(VirtualMachineSpec spec) {
    assertThat(after("-device", arguments(spec)).filter(device -> device.contains("id=disk-")))
        .hasSize(spec.disks().size())
        .allMatch(device -> device.contains(",werror=stop,rerror=report"));
  }

  @ParameterizedTest
  @CsvSource({
    "'', '', '', disk-a disk-b cdrom-c",
    "'', bootOrder: 1, '', disk-b disk-a cdrom-c",
    "'', '', bootOrder: 7, cdrom-c disk-a disk-b",
    "bootOrder: 9, '', bootOrder: 3, cdrom-c disk-a disk-b"
  })
  void firmwareTriesWhatHasABootOrderThenDisksThenDrives(
      String a, String b, String c, String order) {
    List<String> args =
        arguments(
            Specs.of(
                """
                disks:
                - {name: a, size: 1Gi, source: {blank: {}}, bus: SCSI, %s}
                - {name: b, size: 1Gi, source: {blank: {}}, bus: SATA, %s}
                cdroms: [{name: c, source: {image: netinst}, %s}]
                """
                    .formatted(a, b, c)));
    assertThat(
            after("-device", args)
                .filter(device -> device.contains("bootindex="))
                .sorted(
                    Comparator.comparing(
                        device -> values("bootindex=([0-9]+)", device).findFirst().orElseThrow()))
                .flatMap(device -> values(",id=([^,]+)", device)))
        .containsExactly(order.split(" "));
  }

  @Test
  void mediumOfADriveIsAddedByTheWrapper() {
    Hardware hardware = hardware(Specs.of(MIXED));
    assertThat(hardware.attachments())
        .contains(new WrapperOption("--cdrom=c0"))
        .doesNotContain(new WrapperOption("--cdrom=c1"))
        .as("one may come while the guest runs")
        .contains(new BaseImage("c0"), new BaseImage("c1"));
    assertThat(after("-device", hardware.args()))
        .contains(
            "ide-cd,id=cdrom-c0,serial=c0,bootindex=7,bus=ide.5,drive=cdrom-c0",
            "ide-cd,id=cdrom-c1,serial=c1,bootindex=8,bus=ide.4");
  }

  @ParameterizedTest
  @MethodSource("machines")
  void everyPathOfAnArgumentIsMounted(VirtualMachineSpec spec) {
    Hardware hardware = hardware(spec);
    List<String> mounted = new ArrayList<>(OF_THE_IMAGE);
    for (Attachment attachment : hardware.attachments()) {
      switch (attachment) {
        case ClaimVolume volume -> mounted.add(volume.mountPath() + "/");
        case EphemeralVolume volume -> mounted.add(volume.mountPath() + "/");
        case MemoryVolume volume -> mounted.add(volume.mountPath() + "/");
        case SecretVolume volume -> mounted.add(volume.mountPath() + "/");
        default -> {
          // brings no path of QEMU's
        }
      }
    }
    List<String> paths =
        hardware.args().stream().flatMap(arg -> values("[=:](/[^,]*)", arg)).toList();
    assertThat(paths).isNotEmpty();
    assertThat(paths)
        .as("paths that no attachment mounts")
        .allMatch(path -> mounted.stream().anyMatch((path + "/")::startsWith));
  }

  @ParameterizedTest
  @MethodSource("machines")
  void monitorsOnTcpWantTheOperatorsCertificate(VirtualMachineSpec spec) {
    assertThat(arguments(spec).stream().filter(arg -> arg.contains("host=")))
        .hasSize(2)
        .allMatch(arg -> arg.contains(",tls-creds=tls0,tls-authz=operator"));
  }

  @Test
  void commaInTheOperatorsNameEndsNoOption() {
    VirtualMachineSpec spec = machines().findFirst().orElseThrow();
    assertThat(Hardware.of(VM, spec, false, "CN=a,O=b", Map.of(), Map.of()).args())
        .contains("authz-simple,id=operator,identity=CN=a,,O=b");
  }

  @Test
  void urlOfAnImageNeverReachesQemusArguments() {
    VirtualMachineSpec spec = machines().reduce((a, b) -> b).orElseThrow();
    assertThat(arguments(spec)).noneMatch(arg -> arg.contains("http"));
  }

  @Test
  void machineWithoutWatchdogHasNoCard() {
    List<String> args = arguments(withMachine("watchdog: None"));
    assertThat(args).noneMatch(arg -> arg.contains("i6300esb"));
    assertThat(after("-action", args)).singleElement(STRING).endsWith(",watchdog=reset");
  }

  @ParameterizedTest
  @CsvSource({"Reset,reset", "Poweroff,poweroff"})
  void watchdogOfTheSpecIsACardWithItsAction(String watchdog, String action) {
    List<String> args = arguments(withMachine("watchdog: " + watchdog));
    assertThat(after("-device", args))
        .as("guests know it by its address: no release of the operator may change it")
        .contains("i6300esb,id=watchdog,bus=pcie.0,addr=0x1e");
    assertThat(after("-action", args))
        .singleElement(STRING)
        .isEqualTo("reboot=reset,shutdown=poweroff,panic=exit-failure,watchdog=" + action);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Auto", "TCG"})
  void emulationGetsTheTranslationCacheThatThePodHasRoomFor(String accelerator) {
    VirtualMachineSpec spec = withMachine("accelerator: " + accelerator);
    long cache = MemoryBudget.translationCacheMiB(spec).orElseThrow();
    assertThat(hardware(spec).attachments())
        .contains(new WrapperOption("--translation-cache=" + cache));
    assertThat(MemoryBudget.of(spec).overheadMiB()).isGreaterThan(cache);
  }

  @Test
  void kvmTranslatesNothing() {
    assertThat(hardware(withMachine("accelerator: KVM")).attachments())
        .noneMatch(attachment -> attachment.toString().contains("--translation-cache"));
  }

  @Test
  void macAddressOfTheSpecIsWrittenInLowerCase() {
    VirtualMachineSpec spec =
        Specs.of(
            """
            networks: [{name: lan, pod: {}, macAddress: "52:54:00:AB:CD:EF"}]
            disks: [{name: root, source: {containerImage: {image: a}}, storage: {ephemeral: {}}}]
            """);
    assertThat(arguments(spec)).anyMatch(arg -> arg.contains("mac=52:54:00:ab:cd:ef"));
  }

  @Test
  void diskWithoutSizeKeepsThatOfItsSource() {
    VirtualMachineSpec spec =
        Specs.of(
            "disks: [{name: root, source: {containerImage: {image: a}}, storage: {ephemeral: {}}}]");
    assertThat(hardware(spec).attachments()).contains(new WrapperOption("--disk=root:overlay:0"));
  }

  @Test
  void sizeIsRoundedUpToWholeSectors() {
    VirtualMachineSpec spec =
        Specs.of(
            "disks: [{name: root, size: 500M, source: {blank: {}}, storage: {ephemeral: {}}}]");
    assertThat(hardware(spec).attachments())
        .as("500000000 is no multiple of 512")
        .contains(new WrapperOption("--disk=root:blank:500000256"));
  }

  @Test
  void diskIsMadeNoLargerThanItsVolumeAndALargerOneIsKept() {
    VirtualMachineSpec spec =
        Specs.of("disks: [{name: root, size: 20Gi, source: {containerImage: {image: a}}}]");
    DiskVolume small =
        new DiskVolume("web-root", false, false, Optional.of(new DiskSize(8L << 30)));
    assertThat(Hardware.of(VM, spec, false, "CN=a", Map.of("root", small), Map.of()).attachments())
        .contains(new WrapperOption("--disk=root:overlay:8589934592+"));
  }

  @Test
  void diskThatHasBeenMadeMustBeThere() {
    VirtualMachineSpec spec =
        Specs.of("disks: [{name: root, size: 8Gi, source: {containerImage: {image: a}}}]");
    DiskVolume made = new DiskVolume("web-root", false, true, Optional.empty());
    assertThat(Hardware.of(VM, spec, false, "CN=a", Map.of("root", made), Map.of()).attachments())
        .contains(new WrapperOption("--disk=root:kept:8589934592"));
  }

  private static VirtualMachineSpec withMachine(String field) {
    return Specs.of(
        "machine: {"
            + field
            + "}\ndisks: [{name: root, source: {blank: {}}, storage: {ephemeral: {}}, size: 1Gi}]");
  }

  private static Map<String, DiskVolume> volumes(VirtualMachineSpec spec) {
    return spec.disks().stream()
        .filter(disk -> disk.storage().isClaimed())
        .collect(
            Collectors.toMap(
                Disk::name,
                disk -> new DiskVolume(VM.claimOf(disk), false, false, Optional.empty())));
  }

  private static Map<String, LanPort> ports(VirtualMachineSpec spec) {
    return Hardware.networks(spec).stream()
        .filter(card -> card.bridge() != null)
        .collect(
            Collectors.toMap(
                Network::name,
                card ->
                    new LanPort(
                        "br0",
                        Optional.of(20),
                        Optional.of(1400),
                        Optional.ofNullable(card.bridge().address()))));
  }

  private static Hardware hardware(VirtualMachineSpec spec) {
    return Hardware.of(VM, spec, true, "CN=qemu-operator", volumes(spec), ports(spec));
  }

  /** QEMU's arguments, with the device that PID 1 adds for the seed. */
  private static List<String> arguments(VirtualMachineSpec spec) {
    Hardware hardware = hardware(spec);
    List<String> args = new ArrayList<>(hardware.args());
    for (Attachment attachment : hardware.attachments()) {
      if (attachment instanceof WrapperOption(String text) && text.startsWith("--seed-device=")) {
        args.addAll(List.of("-device", text.substring("--seed-device=".length())));
      }
    }
    return args;
  }

  private static Stream<String> after(String option, List<String> args) {
    return IntStream.range(1, args.size())
        .filter(i -> args.get(i - 1).equals(option))
        .mapToObj(args::get);
  }

  private static Stream<String> values(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map((MatchResult m) -> m.group(1));
  }
}
