# shellcheck shell=sh disable=SC2154,SC2046,SC2086 # the variables of `run`; words
# Disks on each bus, CD-ROM drives, and what the firmware boots.
scsi='-device virtio-scsi-pci,id=scsi'
on_bus() { # NAME BUS FURTHER: a disk as the operator describes it
  case $2 in
    virtio) device=virtio-blk-pci;;
    scsi) device=scsi-hd,bus=scsi.0,channel=0,lun=0,scsi-id=${3:-0};;
    sata) device=ide-hd,bus=ide.${3:-0};;
  esac
  echo "-blockdev driver=qcow2,node-name=disk-$1,discard=unmap,detect-zeroes=unmap,file.driver=file,file.aio=threads,file.discard=unmap,file.filename=/disks/$1/disk.qcow2
    -device $device,id=disk-$1,drive=disk-$1,serial=$1,werror=stop,rerror=report${4:-}"
}
drive() { # FURTHER
  echo "-device ide-cd,id=cdrom-iso,bus=ide.5$1"
}
with_medium() { # DIR: the tiny guest's CD in the cache, as `download` leaves it
  sha256sum < "$all/tiny/cd" | cut -d ' ' -f 1 > "$1/work/digest-iso"
  echo raw > "$1/work/format-iso"
  ln -f "$all/tiny/cd" "$1/cache/sha256/$(cat "$1/work/digest-iso")"
}
succeeds() { # VM TEXT: in the guest
  guest "$1" "if { $2
} >/dev/null 2>&1; then echo yes; fi" | grep -qx yes
}
qmp() { # COMMANDS: what QEMU answers in $test/answers
  docker exec "$vm" sh -c 'echo "$1" | timeout 2 nc.openbsd -U /run/vm/qmp.sock || true' sh "{\"execute\":\"qmp_capabilities\"}
    $1" > "$test/answers"
}
drive_says() { # MEMBER VALUE: of what QEMU says of the drive
  qmp '{"execute":"query-block"}'
  python3 -c 'import json, sys
devices = [device for line in sys.stdin for device in json.loads(line).get("return") or []]
print(*[device[sys.argv[1]] for device in devices if device["qdev"] == "cdrom-iso"])' "$1" < "$test/answers" | grep -qx "$2"
}
bus_vm() { # WRAPPER-OPTIONS -- QEMU-ARGUMENTS: with a network; sets $vm
  vm=$(vm "$test" "$(pod)" -- --accelerator=TCG --cpu=host --nat=52:54:00:12:34:56 "$@")
}
installer() { # FIRMWARE-OPTIONS -- MACHINE-ARGUMENTS: a blank disk and a CD; it boots what can be booted; sets $vm
  directories "$test"
  with_medium "$test"
  wrapper=
  while [ "$1" != -- ]; do wrapper="$wrapper $1"; shift; done
  shift
  bus_vm --disk=root:blank:67108864 --cdrom=iso $wrapper -- "$@" $(on_bus root virtio '' ,bootindex=1) $(drive ,drive=cdrom-iso,bootindex=2) $nic
  ready "$vm"
  console_shows "$vm" 'TINY-READY boots=unknown'
  same 'what was booted' tiny.from=cdrom "$(guest "$vm" 'grep -o tiny.from=cdrom /proc/cmdline')"
}

bus_scsi_boots_beside_sata_and_a_cd() { # test
  directories "$test"
  with_base "$test"
  with_medium "$test"
  bus_vm --disk=root:overlay:0 --disk=data:blank:16777216 --cdrom=iso -- $(machine '') $scsi \
    $(on_bus root scsi 0 ,bootindex=1) $(on_bus data sata 0 ,bootindex=2) $(drive ,drive=cdrom-iso,bootindex=3) $nic
  ready "$vm"
  console_shows "$vm" 'TINY-READY boots=1'
  within 20 'the disk on SATA' succeeds "$vm" 'disk data'
  guest "$vm" 'for serial in root data; do device=$(disk $serial); readlink -f "/sys/block/${device#/dev/}"; done' > "$test/paths"
  same 'buses' 'virtio ata' "$(grep -o '/virtio[0-9]*/\|/ata[0-9]*/' "$test/paths" | tr -d '/0-9\n' | sed 's/virtioata/virtio ata/')"
  same 'data disk' hello "$(guest "$vm" 'echo hello | dd of=$(disk data) conv=fsync 2>/dev/null; head -n 1 $(disk data)')"
  within 20 'the CD' succeeds "$vm" 'mkdir -p /tmp/cd; mount -t iso9660 -o ro /dev/sr0 /tmp/cd'
  same 'content of the CD' tiny.from=cdrom "$(guest "$vm" 'grep -o tiny.from=cdrom /tmp/cd/boot/grub/grub.cfg')"
  refused succeeds "$vm" 'echo x > /dev/sr0'
}
bus_medium_is_changed_when_the_guest_lets_go_of_it() { # test
  directories "$test"
  with_base "$test"
  with_medium "$test"
  other=$(printf %064d 1)
  { echo other; head -c 1048575 /dev/zero; } > "$test/cache/sha256/$other"
  bus_vm --disk=root:overlay:0 --cdrom=iso -- $(machine '') $(on_bus root virtio '' ,bootindex=1) $(drive ,drive=cdrom-iso,bootindex=2) $nic
  ready "$vm"
  within 20 'the CD' succeeds "$vm" 'mkdir -p /tmp/cd; mount -t iso9660 -o ro /dev/sr0 /tmp/cd'

  qmp '{"execute":"blockdev-open-tray","arguments":{"id":"cdrom-iso","force":false}}'
  drive_says locked True
  drive_says tray_open False
  lacks "$test/run/events.jsonl" DEVICE_TRAY_MOVED
  same 'content of the CD' tiny.from=cdrom "$(guest "$vm" 'grep -o tiny.from=cdrom /tmp/cd/boot/grub/grub.cfg')"

  guest "$vm" 'umount /tmp/cd'
  within 10 'the guest to unlock its drive' drive_says locked False
  lacks "$test/run/events.jsonl" DEVICE_TRAY_MOVED     # that is why the operator asks while it waits
  qmp '{"execute":"blockdev-open-tray","arguments":{"id":"cdrom-iso","force":false}}
    {"execute":"blockdev-remove-medium","arguments":{"id":"cdrom-iso"}}
    {"execute":"blockdev-add","arguments":{"driver":"raw","node-name":"medium-1","read-only":true,"file":{"driver":"file","filename":"/cache/sha256/'"$other"'"}}}
    {"execute":"blockdev-insert-medium","arguments":{"id":"cdrom-iso","node-name":"medium-1"}}
    {"execute":"blockdev-close-tray","arguments":{"id":"cdrom-iso"}}
    {"execute":"blockdev-del","arguments":{"node-name":"cdrom-iso"}}'
  lacks "$test/answers" '"error"'
  has "$test/run/events.jsonl" DEVICE_TRAY_MOVED
  within 20 'the guest to see the other CD' succeeds "$vm" 'head -n 1 /dev/sr0 | grep -x other'
  same 'the one before is not open any more' '' "$(docker exec "$vm" sh -c "ls -l /proc/$(qemu_of "$vm")/fd" | grep "$(cat "$test/work/digest-iso")" || true)"

  qmp '{"execute":"blockdev-open-tray","arguments":{"id":"cdrom-iso","force":false}}
    {"execute":"blockdev-remove-medium","arguments":{"id":"cdrom-iso"}}
    {"execute":"blockdev-close-tray","arguments":{"id":"cdrom-iso"}}'
  lacks "$test/answers" '"error"'
  refused succeeds "$vm" 'head -c 1 /dev/sr0'
}
bus_sata_boots() { # test
  directories "$test"
  with_base "$test"
  bus_vm --disk=root:overlay:0 -- $(machine '') $(on_bus root sata 0 ,bootindex=1) $(drive ,bootindex=2) $nic
  ready "$vm"
  console_shows "$vm" 'TINY-READY boots=1'
  within 20 'the drive' succeeds "$vm" 'test -b /dev/sr0'
  refused succeeds "$vm" 'head -c 1 /dev/sr0'
}
bus_scsi_boots_by_uefi() { # test
  directories "$test"
  with_base "$test"
  bus_vm --disk=root:overlay:0 --uefi=root -- $(machine ,pflash0=code,pflash1=vars 160M) $firmware $scsi $(on_bus root scsi 0 ,bootindex=1) $nic
  ready "$vm"
  console_shows "$vm" 'TINY-READY boots=1'
}
bus_sata_boots_by_uefi() { # test
  directories "$test"
  with_base "$test"
  bus_vm --disk=root:overlay:0 --uefi=root -- $(machine ,pflash0=code,pflash1=vars 160M) $firmware $(on_bus root sata 0 ,bootindex=1) $nic
  ready "$vm"
  console_shows "$vm" 'TINY-READY boots=1'
}
bus_blank_disk_is_passed_over_for_the_cd() { # test
  installer -- $(machine '')
}
bus_blank_disk_is_passed_over_for_the_cd_by_uefi() { # test
  installer --uefi=root -- $(machine ,pflash0=code,pflash1=vars 192M) $firmware
}
bus_full_volume_stops_the_guest_on_each_bus() { # test
  directories "$test"
  with_base "$test"
  small=
  for name in virtio scsi sata; do small="$small --mount type=tmpfs,destination=/disks/$name,tmpfs-size=1m"; done
  vm=$(vm "$test" "$(pod)" $small -- --accelerator=TCG --cpu=host --nat=52:54:00:12:34:56 --disk=root:overlay:0 \
    --disk=virtio:blank:16777216 --disk=scsi:blank:16777216 --disk=sata:blank:16777216 -- $(machine '') $scsi $(on_bus root virtio '' ,bootindex=1) \
    $(on_bus virtio virtio) $(on_bus scsi scsi 1) $(on_bus sata sata 0) $nic)
  ready "$vm"
  for name in virtio scsi sata; do
    within 20 "the disk $name" succeeds "$vm" "disk $name"
    guest "$vm" "(head -c 4000000 /dev/urandom | tee /tmp/$name | dd of=\$(disk $name) bs=64k conv=fsync && touch /tmp/$name.done) >/dev/null 2>&1 &"
    stopped() { docker exec "$vm" grep "\"node-name\": \"disk-$name\".*\"nospace\": true\|\"nospace\": true.*\"node-name\": \"disk-$name\"" /run/vm/events.jsonl | grep '"action": "stop"'; }
    within 30 "BLOCK_IO_ERROR of disk-$name" stopped
    docker exec "$vm" mount -o remount,size=32m "/disks/$name"
    written() { # QEMU may stop more than once
      docker exec "$vm" sh -c "printf '{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n' | timeout 1 nc.openbsd -U /run/vm/qmp.sock || true"
      succeeds "$vm" "test -e /tmp/$name.done"
    }
    within 30 "the rest of disk $name" written
    same "content of disk $name" same "$(guest "$vm" "head -c 4000000 \$(disk $name) | cmp - /tmp/$name && echo same")"
  done
}
