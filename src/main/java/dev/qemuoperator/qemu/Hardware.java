package dev.qemuoperator.qemu;

import dev.qemuoperator.api.Cdrom;
import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.Machine.Firmware;
import dev.qemuoperator.api.Network;
import dev.qemuoperator.api.VirtualMachineSpec;
import dev.qemuoperator.qemu.Attachment.BaseImage;
import dev.qemuoperator.qemu.Attachment.ClaimDevice;
import dev.qemuoperator.qemu.Attachment.ClaimVolume;
import dev.qemuoperator.qemu.Attachment.EphemeralVolume;
import dev.qemuoperator.qemu.Attachment.MemoryVolume;
import dev.qemuoperator.qemu.Attachment.NodeProcesses;
import dev.qemuoperator.qemu.Attachment.SecretVolume;
import dev.qemuoperator.qemu.Attachment.WrapperOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The whole machine as a list of devices.
 *
 * <p>Every device has a fixed id and a fixed PCI address, and the machine type has a version, so
 * that the guest finds its hardware where it was however the operator changes; later, snapshots and
 * migration depend on it.
 *
 * @param devices in the order of the command line
 */
public record Hardware(List<Device> devices) {

  /** QEMU's primary and spare monitor; the network keeps the guest and everyone else away. */
  private static final List<Integer> MONITOR_PORTS = List.of(7000, 7001);

  // Addresses on the root bus. 0x06-0x0d are root ports, kept free for what is plugged in later.
  private static final int SCSI = 0x02;
  private static final int PVPANIC = 0x03;
  private static final int RNG = 0x04;
  private static final int BALLOON = 0x05;
  private static final int FIRST_ROOT_PORT = 0x06;
  private static final int ROOT_PORTS = 8;
  private static final int FIRST_NIC = 0x0e;
  private static final int FIRST_DISK = 0x12;
  private static final int SEED = 0x1c;
  private static final int VIRTIO_SERIAL = 0x1d;
  private static final int WATCHDOG = 0x1e;

  /** Of the AHCI controller of the chipset, at 0x1f. Disks take them from the first one on. */
  private static final int SATA_PORTS = 6;

  public Hardware {
    devices = List.copyOf(devices);
  }

  /**
   * The machine of a spec whose defaults the API server has filled in.
   *
   * @param seeded whether there is a Secret of cloud-init's files
   * @param operatorDn distinguished name that alone may speak to QEMU's monitors
   * @param volumes of disks on claims, by disk
   * @param ports of cards on LANs, by card
   */
  public static Hardware of(
      VmIdentity vm,
      VirtualMachineSpec spec,
      boolean seeded,
      String operatorDn,
      Map<String, DiskVolume> volumes,
      Map<String, LanPort> ports) {
    List<Device> devices = new ArrayList<>();
    devices.add(sandbox(vm));
    devices.add(machine(spec, volumes));
    devices.add(processorsAndMemory(spec));
    devices.add(lifecycle(spec));
    if (watchdogAction(spec).isPresent()) {
      devices.add(watchdog());
    }
    devices.addAll(rootPorts());
    devices.add(monitors(vm, operatorDn));
    devices.add(eventLog());
    devices.add(console());
    devices.add(entropy());
    devices.add(balloon());
    List<Network> networks = networks(spec);
    for (int i = 0; i < networks.size(); i++) {
      devices.add(
          nic(vm, networks.get(i), i, Optional.ofNullable(ports.get(networks.get(i).name()))));
    }
    if (spec.disks().stream().anyMatch(disk -> disk.bus() == Disk.Bus.SCSI)) {
      devices.add(scsiController());
    }
    BootOrder order = BootOrder.of(spec);
    int sataPort = 0;
    for (int i = 0; i < spec.disks().size(); i++) {
      Disk disk = spec.disks().get(i);
      String address =
          switch (disk.bus()) {
            case VIRTIO -> at(FIRST_DISK + i);
            case SCSI -> "bus=scsi.0,channel=0,lun=0,scsi-id=" + i;
            case SATA -> "bus=ide." + sataPort++;
          };
      Optional<DiskVolume> volume = Optional.ofNullable(volumes.get(disk.name()));
      devices.add(disk(disk, volume, order.of(disk), address));
    }
    for (int i = 0; i < spec.cdroms().size(); i++) {
      Cdrom cdrom = spec.cdroms().get(i);
      // from the last port on, so that another disk does not move a drive
      devices.add(cdrom(cdrom, order.of(cdrom), SATA_PORTS - 1 - i));
    }
    if (seeded) {
      devices.add(seed(vm));
      devices.add(reportPort());
    }
    return new Hardware(devices);
  }

  /** QEMU's own command line. */
  public List<String> args() {
    return devices.stream().flatMap(device -> device.args().stream()).toList();
  }

  /** What the pod must have. */
  public List<Attachment> attachments() {
    return devices.stream().flatMap(device -> device.attachments().stream()).toList();
  }

  /** The network cards of a spec; an absent list was defaulted, an empty one means none. */
  public static List<Network> networks(VirtualMachineSpec spec) {
    return spec.networks() == null ? List.of() : spec.networks();
  }

  /** The MAC address of a network card: the user's, else the VM's own. */
  public static String macAddress(VmIdentity vm, Network network) {
    return network.macAddress() == null
        ? vm.macAddress(network.name())
        : network.macAddress().toLowerCase(java.util.Locale.ROOT);
  }

  private static Device sandbox(VmIdentity vm) {
    return Device.of(
            "-name",
            "guest=" + vm.name() + ",debug-threads=on",
            "-uuid",
            vm.uid(),
            "-nodefaults",
            "-no-user-config",
            "-sandbox",
            "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny")
        .with(new MemoryVolume("run", "/run/vm"));
  }

  private static Device machine(VirtualMachineSpec spec, Map<String, DiskVolume> volumes) {
    List<Attachment> options = new ArrayList<>();
    options.add(new WrapperOption("--accelerator=" + spec.machine().accelerator().word()));
    MemoryBudget.translationCacheMiB(spec)
        .ifPresent(cache -> options.add(new WrapperOption("--translation-cache=" + cache)));
    String type = "pc-q35-10.0,memory-backend=ram0";
    if (spec.machine().firmware() != Firmware.UEFI) {
      return new Device(List.of("-machine", type), options);
    }
    String place =
        // a manifest without one is not accepted
        placeOfUefiVariables(spec, volumes).orElse(spec.disks().getFirst().name());
    options.add(new WrapperOption("--uefi=" + place));
    return new Device(
        List.of(
            "-machine",
            type + ",pflash0=uefi-code,pflash1=uefi-vars",
            "-blockdev",
            "driver=file,node-name=uefi-code,read-only=on,filename=/usr/share/OVMF/OVMF_CODE_4M.fd",
            // qcow2, because a raw file of variables would keep the whole VM from having snapshots
            "-blockdev",
            "driver=qcow2,node-name=uefi-vars,file.driver=file,file.filename="
                + pathOf(place)
                + "/uefi-vars.qcow2"),
        options);
  }

  /**
   * The disk beside which UEFI keeps its variables: the first that is not a volume of its own,
   * whatever boots first, because another bootOrder must not lose what the firmware remembers.
   */
  public static Optional<String> placeOfUefiVariables(
      VirtualMachineSpec spec, Map<String, DiskVolume> volumes) {
    return spec.disks().stream()
        .map(Disk::name)
        .filter(disk -> !volumes.containsKey(disk) || !volumes.get(disk).block())
        .findFirst();
  }

  private static Device processorsAndMemory(VirtualMachineSpec spec) {
    String size = MemoryBudget.of(spec).guestMiB() + "M";
    return Device.of(
            "-smp",
            String.valueOf(spec.cpu().cores()),
            "-m",
            size,
            "-object",
            "memory-backend-memfd,id=ram0,share=on,size=" + size)
        .with(new WrapperOption("--cpu=" + spec.cpu().model()));
  }

  /**
   * What becomes of the process when the guest ends: it must end too, and its exit code must say
   * why.
   */
  private static Device lifecycle(VirtualMachineSpec spec) {
    return Device.of(
            "-action",
            "reboot=reset,shutdown=poweroff,panic=exit-failure,watchdog="
                + watchdogAction(spec).orElse("reset"),
            "-device",
            "pvpanic-pci,id=pvpanic," + at(PVPANIC))
        .with(new WrapperOption("--grace-seconds=" + spec.terminationGracePeriodSeconds()));
  }

  /** The guest starts it by opening its /dev/watchdog; until then it does nothing. */
  private static Device watchdog() {
    return Device.of("-device", "i6300esb,id=watchdog," + at(WATCHDOG));
  }

  /** In QEMU's words; empty if there is no watchdog. */
  private static Optional<String> watchdogAction(VirtualMachineSpec spec) {
    return switch (spec.machine().watchdog()) {
      case NONE -> Optional.empty();
      case RESET -> Optional.of("reset");
      case POWEROFF -> Optional.of("poweroff");
    };
  }

  private static List<Device> rootPorts() {
    return IntStream.range(0, ROOT_PORTS)
        .mapToObj(
            i ->
                Device.of(
                    "-device",
                    "pcie-root-port,id=rp%d,chassis=%d,slot=%d,%s"
                        .formatted(i + 1, i + 1, i + 1, at(FIRST_ROOT_PORT + i))))
        .toList();
  }

  /** Open to the operator's certificate alone; a TCP monitor without TLS and authz never exists. */
  private static Device monitors(VmIdentity vm, String operatorDn) {
    List<String> args = new ArrayList<>();
    args.addAll(
        List.of(
            "-object",
            "tls-creds-x509,id=tls0,dir=/tls,endpoint=server,verify-peer=yes",
            "-object",
            "authz-simple,id=operator,identity=" + operatorDn.replace(",", ",,")));
    for (int port : MONITOR_PORTS) {
      args.addAll(
          List.of(
              "-chardev",
              "socket,id=qmp%d,host=0.0.0.0,port=%d,server=on,wait=off,tls-creds=tls0,tls-authz=operator"
                  .formatted(port, port),
              "-mon",
              "chardev=qmp%d,mode=control".formatted(port)));
    }
    // for PID 1, which presses the power button even when no operator is there
    args.addAll(List.of("-qmp", "unix:/run/vm/qmp.sock,server=on,wait=off"));
    return new Device(args, List.of(new SecretVolume("tls", vm.tlsSecret(), "/tls")));
  }

  /** A monitor that nobody reads but PID 1 at the end: the reason of a stop outlives QEMU. */
  private static Device eventLog() {
    return Device.of(
        "-chardev",
        "file,id=events,path=/run/vm/events.jsonl,append=on,input-path=/run/vm/qmp-init.json",
        "-mon",
        "chardev=events,mode=control");
  }

  private static Device console() {
    return Device.of(
        "-display", "none",
        "-chardev", "stdio,id=console,signal=off",
        "-serial", "chardev:console");
  }

  private static Device entropy() {
    return Device.of(
        "-object",
        "rng-random,id=rng0,filename=/dev/urandom",
        "-device",
        "virtio-rng-pci,id=rng,rng=rng0," + at(RNG));
  }

  /** Gives memory that the guest has freed back to the node. */
  private static Device balloon() {
    return Device.of(
        "-device",
        "virtio-balloon-pci,id=balloon,free-page-reporting=on,deflate-on-oom=on," + at(BALLOON));
  }

  /**
   * @param port empty for the pod network, and for a LAN that is not there now
   */
  private static Device nic(VmIdentity vm, Network network, int index, Optional<LanPort> port) {
    String id = "nic-" + network.name();
    String mac = macAddress(vm, network);
    String tap = network.pod() != null ? "tap0" : "tap" + (index + 1);
    String mtu = port.flatMap(LanPort::mtu).map(bytes -> ",host_mtu=" + bytes).orElse("");
    List<Attachment> attachments = new ArrayList<>();
    if (network.pod() != null) {
      attachments.add(new WrapperOption("--nat=" + mac));
      if (index > 0) {
        attachments.add(new WrapperOption("--nat-secondary"));
      }
    } else {
      attachments.add(new WrapperOption("--bridge=" + bridge(network, tap, port)));
      attachments.add(new NodeProcesses("node-proc", "/host/proc"));
    }
    return new Device(
        List.of(
            "-netdev",
            "tap,id=" + id + ",ifname=" + tap + ",script=no,downscript=no",
            // no romfile: booting from the network is not offered, and the image has no iPXE
            "-device",
            "virtio-net-pci,id=%s,netdev=%s,mac=%s,romfile=%s,%s"
                .formatted(id, id, mac, mtu, at(FIRST_NIC + index))),
        attachments);
  }

  private static String bridge(Network network, String tap, Optional<LanPort> port) {
    return Stream.of(
            Optional.of("name=" + network.name()),
            Optional.of("tap=" + tap),
            port.map(at -> "bridge=" + at.bridge()),
            port.flatMap(LanPort::vlan).map(id -> "vlan=" + id),
            port.flatMap(LanPort::mtu).map(bytes -> "mtu=" + bytes),
            port.flatMap(LanPort::address).map(address -> "address=" + address))
        .flatMap(Optional::stream)
        .collect(Collectors.joining(","));
  }

  private static Device scsiController() {
    return Device.of("-device", "virtio-scsi-pci,id=scsi," + at(SCSI));
  }

  private static Device disk(
      Disk disk, Optional<DiskVolume> volume, int bootIndex, String address) {
    String id = "disk-" + disk.name();
    String path = pathOf(disk.name());
    List<Attachment> attachments = new ArrayList<>();
    boolean blank = disk.source().blank() != null;
    boolean block = volume.filter(DiskVolume::block).isPresent();
    String kind =
        volume.filter(DiskVolume::made).isPresent() ? "kept" : blank ? "blank" : "overlay";
    attachments.add(
        new WrapperOption("--disk=%s:%s:%s".formatted(disk.name(), kind, bytes(disk, volume))));
    attachments.add(
        volume
            .map(
                on ->
                    block
                        ? new ClaimDevice(id, on.claim(), path)
                        : new ClaimVolume(id, on.claim(), path))
            .orElseGet(() -> new EphemeralVolume(id, path)));
    // what is on an existing claim may read from an image, whatever the source says
    if (!blank || disk.storage().existing().isPresent()) {
      attachments.add(new BaseImage(disk.name()));
    }
    return new Device(
        List.of(
            "-blockdev",
            // writeback caching honours the guest's flushes; discard gives freed blocks back
            ("driver=qcow2,node-name=%s,discard=unmap,detect-zeroes=unmap,file.driver=%s,"
                    + "file.aio=threads,file.discard=unmap,file.filename=%s")
                .formatted(id, block ? "host_device" : "file", block ? path : path + "/disk.qcow2"),
            "-device",
            // werror=stop: a full volume pauses the guest, which never sees a lost write
            "%s,id=%s,drive=%s,serial=%s,bootindex=%d,werror=stop,rerror=report,%s"
                .formatted(driver(disk.bus()), id, id, disk.name(), bootIndex, address)),
        attachments);
  }

  private static String driver(Disk.Bus bus) {
    return switch (bus) {
      case VIRTIO -> "virtio-blk-pci";
      case SCSI -> "scsi-hd";
      case SATA -> "ide-hd";
    };
  }

  /** PID 1 adds the block node of the medium: the file is named by a digest that it knows first. */
  private static Device cdrom(Cdrom cdrom, int bootIndex, int port) {
    String id = "cdrom-" + cdrom.name();
    String drive =
        "ide-cd,id=%s,serial=%s,bootindex=%d,bus=ide.%d"
            .formatted(id, cdrom.name(), bootIndex, port);
    // an empty one, too: what comes while the guest runs is there
    BaseImage cache = new BaseImage(cdrom.name());
    return cdrom.source() == null
        ? Device.of("-device", drive).with(cache)
        : Device.of("-device", drive + ",drive=" + id)
            .with(new WrapperOption("--cdrom=" + cdrom.name()), cache);
  }

  /** PID 1 adds the device itself: its serial number is the hash of the seed that it has copied. */
  private static Device seed(VmIdentity vm) {
    return Device.of(
            "-blockdev",
            "driver=raw,node-name=cloud-init,read-only=on,file.driver=vvfat,file.dir=/run/vm/seed,"
                + "file.label=cidata,file.fat-type=16,file.rw=off,file.read-only=on")
        .with(
            new SecretVolume("seed", vm.seedSecret(), "/seed"),
            new WrapperOption(
                "--seed-device=virtio-blk-pci,id=cloud-init,drive=cloud-init," + at(SEED)));
  }

  /**
   * Where the script of the seed's vendor-data reports the end of cloud-init; without a seed nobody
   * would write there. A ring buffer, because it holds what nobody reads yet and is bounded by
   * nature: the guest may write without an end.
   */
  private static Device reportPort() {
    return Device.of(
        "-device",
        "virtio-serial-pci,id=virtio-serial," + at(VIRTIO_SERIAL),
        "-chardev",
        "ringbuf,id=report,size=65536",
        // only a port with an id has events
        "-device",
        "virtserialport,id=report,bus=virtio-serial.0,nr=1,chardev=report,name=dev.qemu-operator.report");
  }

  /** 0: the size of the source. With a +: one that is larger is kept as it is. */
  private static String bytes(Disk disk, Optional<DiskVolume> volume) {
    if (disk.size() == null) {
      return "0";
    }
    return volume
        .flatMap(DiskVolume::room)
        .map(least -> least.bytes() + "+")
        .orElseGet(() -> String.valueOf(DiskSize.of(disk.size()).bytes()));
  }

  /** A directory, or of a volume of the mode Block the device. */
  private static String pathOf(String disk) {
    return "/disks/" + disk;
  }

  private static String at(int slot) {
    return "bus=pcie.0,addr=0x%x".formatted(slot);
  }
}
