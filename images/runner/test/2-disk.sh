# shellcheck shell=sh disable=SC2154,SC2046 # the variables of `run`; words
# `disk` in one long-lived container; every test has its own directory under /disks and digest under /handover.
bench() { # sets $bench
  if [ ! -e "$all/bench/id" ]; then
    directories "$all/bench"
    with_base "$all/bench"
    start $(volumes "$all/bench" | sed 's/:ro//g') -v "$all/bench/disks:/disks" --entrypoint sleep "$runner" infinity > "$all/bench/id"
  fi
  bench=$(cat "$all/bench/id")
}
in_bench() { docker exec -e FAILURE="/handover/failure-$name" "$bench" "$@"; }
disk() { # KIND BYTES: of the test's own disk
  in_bench mkdir -p "/disks/$name"
  in_bench /usr/lib/qemu-operator/disk "$name" "$@"
}
info() { # KEY
  in_bench qemu-img info --output=json "/disks/$name/disk.qcow2" | python3 -c "import json, sys; print(json.load(sys.stdin).get('$1'))"
}
as_base() { # FILE: is the base of the test's disk from now on; sets $base
  digest=$(echo "$name" | sha256sum | cut -d ' ' -f 1) base=/cache/sha256/$digest
  in_bench sh -c "mv -f $1 $base && chmod 444 $base && echo $digest > /handover/digest-$name"
}
disk_refused() { # REASON KIND BYTES
  reason=$1
  shift
  status=0
  disk "$@" || status=$?
  same 'exit code' 70 $status
  has "$all/bench/work/failure-$name" "{\"event\":\"WRAPPER_FAILED\",\"data\":{\"reason\":\"$reason\",\"disk\":\"$name\",\"message\":\""
  python3 -m json.tool "$all/bench/work/failure-$name"
}
size=134217728

disk_overlay_stands_on_the_base() { # test
  bench
  cp "$all/tiny/digest" "$all/bench/work/digest-$name"
  disk overlay $size
  same base "/cache/sha256/$(cat "$all/tiny/digest")" "$(info backing-filename)"
  same size $size "$(info virtual-size)"
  same owner 107:107 "$(in_bench stat -c %u:%g "/disks/$name/disk.qcow2")"
}
disk_overlay_of_size_0_has_the_size_of_the_base() { # test
  bench
  cp "$all/tiny/digest" "$all/bench/work/digest-$name"
  disk overlay 0
  same size 41943040 "$(info virtual-size)"
}
disk_raw_base_is_accepted() { # test
  bench
  in_bench truncate -s 1M /tmp/raw
  as_base /tmp/raw
  disk overlay 0
  same format raw "$(info backing-filename-format)"
}
disk_blank_is_empty() { # test
  bench
  disk blank $size
  same base None "$(info backing-filename)"
  same size $size "$(info virtual-size)"
}
disk_that_exists_is_kept() { # test
  bench
  disk blank $size
  before=$(in_bench sha256sum "/disks/$name/disk.qcow2")
  disk blank $size
  disk overlay 0
  same content "$before" "$(in_bench sha256sum "/disks/$name/disk.qcow2")"
}
disk_grows() { # test
  bench
  disk blank $size
  disk blank $((2 * size))
  same size $((2 * size)) "$(info virtual-size)"
}
disk_size_is_rounded_up_to_sectors() { # test
  bench
  in_bench truncate -s 1M /tmp/rounded
  as_base /tmp/rounded
  for kind in blank overlay; do
    disk $kind 500000001
    same size 500000256 "$(info virtual-size)"
    disk $kind 500000001
    same size 500000256 "$(info virtual-size)"
    disk $kind 600000001
    same size 600000512 "$(info virtual-size)"
    disk $kind 600000001
    in_bench rm "/disks/$name/disk.qcow2"
  done
}
disk_does_not_shrink() { # test
  bench
  disk blank $size
  disk_refused DiskShrink blank $((size - 512))
  same size $size "$(info virtual-size)"
}
disk_larger_than_at_least_is_kept_and_a_smaller_one_grows() { # test
  bench
  disk blank $size
  disk blank $((size - 512))+
  same size $size "$(info virtual-size)"
  disk blank $((2 * size))+
  same size $((2 * size)) "$(info virtual-size)"
  in_bench rm "/disks/$name/disk.qcow2"
  disk blank ${size}+
  same size $size "$(info virtual-size)"
}
disk_smaller_than_its_image_is_refused() { # test
  bench
  cp "$all/tiny/digest" "$all/bench/work/digest-$name"
  disk_refused DiskShrink overlay 1048576
  disk_refused DiskShrink overlay 1048576+
}
disk_image_that_names_a_backing_file_is_refused() { # test
  bench
  in_bench sh -c 'echo secret > /tmp/host-file; qemu-img create -q -f qcow2 -F raw -b /tmp/host-file -u /tmp/backed 1M'
  as_base /tmp/backed
  disk_refused ImageRefused overlay 0
}
disk_image_that_names_a_data_file_is_refused() { # test
  bench
  in_bench qemu-img create -q -f qcow2 -o data_file=/tmp/data,data_file_raw=on /tmp/with-data 1M
  in_bench chmod 666 /tmp/data
  as_base /tmp/with-data
  disk_refused ImageRefused overlay 0
}
disk_image_of_another_format_is_refused() { # test
  bench
  in_bench qemu-img create -q -f vmdk /tmp/vmdk 1M
  as_base /tmp/vmdk
  disk_refused ImageRefused overlay 0
}
disk_without_digest_misses_its_base() { # test
  bench
  disk_refused BaseImageMissing overlay 0
}
disk_whose_base_left_the_cache_misses_it() { # test
  bench
  in_bench truncate -s 1M /tmp/gone
  as_base /tmp/gone
  disk overlay 0
  in_bench rm "$base"
  disk_refused BaseImageMissing overlay 0
}
disk_on_a_base_outside_the_cache_is_refused() { # test
  bench
  in_bench sh -c "mkdir /disks/$name; qemu-img create -q -f qcow2 -F raw -b /etc/passwd -u /disks/$name/disk.qcow2 1M"
  disk_refused ImageRefused blank 0
}
disk_on_a_base_by_a_way_out_of_the_cache_is_refused() { # test
  bench
  in_bench sh -c "echo key > /tls/server-key.pem; mkdir /disks/$name"
  for base in ../../tls/server-key.pem "$(cat "$all/tiny/digest")/../../../tls/server-key.pem" "$(cat "$all/tiny/digest")0"; do
    in_bench qemu-img create -q -f qcow2 -F raw -b "/cache/sha256/$base" -u "/disks/$name/disk.qcow2" 1M
    disk_refused ImageRefused overlay 0
  done
}
disk_whose_base_names_another_file_is_refused_at_the_next_start() { # test
  bench
  in_bench qemu-img create -q -f qcow2 /tmp/innocent 1M
  as_base /tmp/innocent
  disk overlay 0
  in_bench qemu-img create -q -f qcow2 -F raw -b /etc/passwd -u /tmp/then-backed 1M
  as_base /tmp/then-backed
  disk_refused ImageRefused overlay 0
  in_bench qemu-img create -q -f qcow2 -o data_file=/tmp/then-data,data_file_raw=on /tmp/then-with-data 1M
  in_bench chmod 666 /tmp/then-data
  as_base /tmp/then-with-data
  disk_refused ImageRefused overlay 0
}
disk_on_a_raw_base_takes_it_for_raw_whatever_it_holds() { # test
  bench
  in_bench truncate -s 1M /tmp/plain
  as_base /tmp/plain
  disk overlay 0
  in_bench sh -c 'qemu-img create -q -f qcow2 -F raw -b /etc/passwd -u /tmp/like-qcow2 1M; truncate -s 1M /tmp/like-qcow2'
  as_base /tmp/like-qcow2
  disk overlay 0
  in_bench qemu-img compare -f qcow2 -F raw "/disks/$name/disk.qcow2" "$base"
}
disk_uefi_variables_are_made_once() { # test
  bench
  disk uefi
  before=$(in_bench stat -c '%i %Y %u' "/disks/$name/uefi-vars.qcow2")
  disk uefi
  same file "$before" "$(in_bench stat -c '%i %Y %u' "/disks/$name/uefi-vars.qcow2")"
  same owner 107 "${before##* }"
}
cdrom_medium_is_the_file_in_the_cache() { # test
  bench
  in_bench truncate -s 1M /tmp/iso
  as_base /tmp/iso
  in_bench sh -c "echo raw > /handover/format-$name"
  same file "$base" "$(in_bench /usr/lib/qemu-operator/disk "$name" cdrom)"
  refused in_bench test -e "/disks/$name"
}
cdrom_medium_that_is_not_in_the_cache_is_missing() { # test
  bench
  disk_refused BaseImageMissing cdrom
}
cdrom_medium_that_is_a_disk_image_is_refused() { # test
  bench
  in_bench qemu-img create -q -f qcow2 /tmp/no-iso 1M
  as_base /tmp/no-iso
  in_bench sh -c "echo qcow2 > /handover/format-$name"
  disk_refused ImageRefused cdrom
}
