# shellcheck shell=sh disable=SC2154,SC2046,SC2086 # the variables of `run`; words
# `disk` on volumes of either mode and in any state, in one long-lived container that may make block devices. Every test has a device or directory of
# its own as /disks/NAME.
bench() { # sets $bench
  if [ ! -e "$all/volumes/id" ]; then
    directories "$all/volumes"
    with_base "$all/volumes"
    start $privileged --device-cgroup-rule 'b 7:* rmw' --device /dev/loop-control \
      -v "$all/volumes/disks:/disks" -v "$all/volumes/cache:/cache" -v "$all/volumes/work:/handover" \
      --entrypoint sleep "$runner" infinity > "$all/volumes/id"
  fi
  bench=$(cat "$all/volumes/id")
}
in_bench() { docker exec -e FAILURE="/handover/failure-$name" "$bench" "$@"; }
device() { # MEBIBYTES OPTION...: the test's block device, losetup's options; frees it in the end
  bench
  in_bench truncate -s "$1M" "/disks/$name.img"
  shift
  attach "$@"
}
attach() { # OPTION...
  # shellcheck disable=SC2016 # expanded in the container
  in_bench sh -ec '
    loop=$(losetup -f)
    [ -b "$loop" ] || mknod "$loop" b 7 "${loop#/dev/loop}"
    name=$1
    shift
    losetup "$@" "$loop" "/disks/$name.img"
    rm -f "/disks/$name"
    mknod "/disks/$name" b 7 "${loop#/dev/loop}"' - "$name" "$@" || fail 'a loop device is needed, of the module loop'
  trap detach EXIT
}
detach() { in_bench losetup -d "/disks/$name"; }
directory() {
  bench
  in_bench mkdir -p "/disks/$name"
}
disk() { in_bench /usr/lib/qemu-operator/disk "$name" "$@"; } # KIND BYTES
disk_refused() { # REASON KIND BYTES
  reason=$1
  shift
  status=0
  disk "$@" || status=$?
  same 'exit code' 70 $status
  has "$all/volumes/work/failure-$name" "{\"event\":\"WRAPPER_FAILED\",\"data\":{\"reason\":\"$reason\",\"disk\":\"$name\",\"message\":\""
  python3 -m json.tool "$all/volumes/work/failure-$name"
}
info() { # KEY
  in_bench qemu-img info --output=json "/disks/$name" | python3 -c "import json, sys; print(json.load(sys.stdin).get('$1'))"
}
sum() { in_bench sha256sum "/disks/$name" | cut -d ' ' -f 1; }
size=134217728

block_device_becomes_a_disk_on_its_base_and_is_kept() { # test
  device 64
  cp "$all/tiny/digest" "$all/volumes/work/digest-$name"
  disk overlay $size
  same base "/cache/sha256/$(cat "$all/tiny/digest")" "$(info backing-filename)"
  same size $size "$(info virtual-size)"
  same owner 107 "$(in_bench stat -c %u "/disks/$name")"
  before=$(sum)
  disk overlay $size
  same content "$before" "$(sum)"
  disk overlay $((size * 2))
  same size $((size * 2)) "$(info virtual-size)"
  in_bench qemu-img check -q "/disks/$name"
}
block_device_shows_nothing_of_what_was_on_it_before() { # test
  device 64
  in_bench dd if=/dev/urandom of="/disks/$name" bs=1M seek=1 count=60 status=none
  disk blank 33554432
  in_bench qemu-img check -q "/disks/$name"
  in_bench sh -c "qemu-img create -q -f raw /tmp/nothing 32M && qemu-img compare -q -f qcow2 -F raw /disks/$name /tmp/nothing"
}
block_device_that_is_not_finished_is_made_again() { # test
  device 64
  # as it is after a kill before the last of its blocks was written
  disk blank $size
  in_bench dd if=/dev/zero of="/disks/$name" bs=4096 count=1 conv=notrunc status=none
  disk blank $size
  same size $size "$(info virtual-size)"
}
block_device_with_something_else_is_not_overwritten() { # test
  device 64
  in_bench sh -c "echo precious | dd of=/disks/$name bs=1 seek=4000 conv=notrunc status=none"
  before=$(sum)
  disk_refused DiskFailed blank $size
  has "$all/volumes/work/failure-$name" 'wipefs'
  same content "$before" "$(sum)"
}
block_device_that_is_too_small_for_a_disk_is_refused() { # test
  bench
  in_bench truncate -s 64k "/disks/$name.img"
  attach
  disk_refused DiskFailed blank $size
}
block_device_that_is_read_only_is_refused() { # test
  device 64
  disk blank $size
  detach
  attach -r
  before=$(sum)
  disk_refused VolumeReadOnly blank $size
  same content "$before" "$(sum)"
}
file_system_that_is_read_only_is_refused() { # test
  directory
  disk blank $size
  in_bench sh -ec "mount --bind /disks/$name /disks/$name && mount -o remount,ro,bind /disks/$name"
  disk_refused VolumeReadOnly blank $size
  in_bench umount "/disks/$name"
  disk blank $size
}
blank_disk_without_a_size_needs_one_that_is_there() { # test
  directory
  disk_refused DiskFailed blank 0
  disk blank $size
  disk blank 0
}
disk_that_has_been_made_is_not_made_again() { # test
  directory
  disk_refused DiskLost kept $size
  refused in_bench test -e "/disks/$name/disk.qcow2"
  disk blank $size
  disk kept $((size * 2))
  in_bench sh -c "qemu-img info /disks/$name/disk.qcow2 | grep -q $((size * 2))"
}
block_device_that_has_lost_its_disk_is_left_alone() { # test
  device 64
  before=$(sum)
  disk_refused DiskLost kept $size
  same content "$before" "$(sum)"
}
disk_that_another_process_has_open_is_refused() { # test
  directory
  disk blank $size
  in_bench sh -ec "qemu-system-x86_64 -machine none -display none -pidfile /run/$name -daemonize \
    -blockdev driver=qcow2,node-name=a,file.driver=file,file.filename=/disks/$name/disk.qcow2"
  disk_refused DiskInUse blank $size
  has "$all/volumes/work/failure-$name" 'kubectl describe pvc'
  in_bench sh -c "kill \$(cat /run/$name)"
  within 5 'the lock is free' disk blank $size
}
disk_that_qemu_has_marked_as_corrupt_is_refused_and_can_be_repaired() { # test
  directory
  disk blank $size
  # the bit of the header that QEMU sets, beside that of extended L2 entries
  in_bench sh -c "printf '\\022' | dd of=/disks/$name/disk.qcow2 bs=1 seek=79 conv=notrunc status=none"
  disk_refused DiskCorrupt blank $size
  has "$all/volumes/work/failure-$name" 'qemu-img check -r all'
  in_bench qemu-img check -q -r all "/disks/$name/disk.qcow2"
  disk blank $size
}
disk_whose_header_is_gone_is_refused_and_kept() { # test
  directory
  disk blank $size
  in_bench dd if=/dev/zero of="/disks/$name/disk.qcow2" bs=4096 count=1 conv=notrunc status=none
  before=$(in_bench sha256sum "/disks/$name/disk.qcow2")
  disk_refused DiskFailed blank $size
  same content "$before" "$(in_bench sha256sum "/disks/$name/disk.qcow2")"
}
