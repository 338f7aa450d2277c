# shellcheck shell=sh disable=SC2154 # the variables of `run`
# What `download` makes of an image: one that is accepted has the content of $test/www/plain afterwards, one that is refused leaves
# nothing behind.
in_www() { # COMMAND...: of the runner, among the files to publish
  program=$1
  shift
  docker run --rm -v "$test/www:/www" -w /www --entrypoint "$program" "$runner" "$@"
}
plain() { # a raw disk of 8 MiB, $test/www/plain
  mkdir -p "$test/www" "$test/cache/sha256"
  truncate -s 3M "$test/www/plain"
  head -c 1M /dev/urandom >> "$test/www/plain"
  truncate -s 8M "$test/www/plain"
}
next_file() { # after this another can be published
  kill "$server"
  trap - EXIT
  rm -f "$test/www/port" "$test/www/file" "$test"/work/*
  url=''
}
compress() { # FORMAT FILE: into $test/www/file
  in_www zstd -q --format="$1" -c "$2" > "$test/www/file"
}
same_content() { # FORMAT FILE: FILE of the cache, read as FORMAT
  docker run --rm -v "$test/www:/www:ro" -v "$test/cache:/cache:ro" --entrypoint qemu-img "$runner" compare -f raw -F "$1" /www/plain "/cache/$2"
}
accepted_as() { # FORMAT
  download "sha256:$digest" "$url/good"
  same digest "$digest" "$(cat "$test/work/digest-root")"
  same format "$1" "$(cat "$test/work/format-root")"
  same 'mode and owner' '444 0:0' "$(stat -c '%a %u:%g' "$test/cache/sha256/$digest")"
  same_content "$1" "sha256/$digest"
  same 'partial files' '' "$(find "$test/cache" -name 'partial-*')"
  told_digest "$digest" "$1" "$url/good"
}
listing() { # but for the locks, and the note of a refusal
  (cd "$test" && find cache www outside ! -path 'cache/lock/*' ! -name requests ! -name '*.refused'  \( -type d -printf '%p %m %U\n' -o -printf '%p %s %T@ %m %U %l\n' \) | sort)
}
refused_saying() { # TEXT, docker's options: the published file is, and nothing else has changed
  text=$1
  shift
  mkdir -p "$test/cache/sha256" "$test/cache/by-source" "$test/cache/lock" "$test/outside"
  echo "another image" > "$test/cache/sha256/another"
  echo secret > "$test/outside/secret"
  [ -n "${url:-}" ] || serve
  listing > "$test/before"
  # shellcheck disable=SC2046 # words
  run=$(start -v "$test/outside:/outside" "$@" $(download_options) "$runner" root "sha256:$digest" "$url/good")
  ended "$run" 1
  docker logs "$run" > "$test/output" 2>&1
  cat "$test/output"
  same reason ImageRefused "$(reason)"
  has "$test/termination" "$text"
  listing > "$test/after"
  diff "$test/before" "$test/after"
  # its own file system is as the image's, but for the mounts
  same 'changed files' '' "$(docker diff "$run" | grep -vE '^[AC] (/cache|/handover|/outside|/dev|/dev/.*|/usr|/usr/lib|/usr/lib/qemu-operator)$')"
  same 'files in the work directory' 'download-root.log sum-root verdict-root' "$(cd "$test/work" && echo *)"
}

image_raw_is_kept() { # test
  plain
  cp "$test/www/plain" "$test/www/file"
  serve
  accepted_as raw
  cmp "$test/www/file" "$test/cache/sha256/$digest"
}
image_iso_is_kept_as_raw() { # test
  plain
  cp "$all/tiny/cd" "$test/www/plain"
  cp "$all/tiny/cd" "$test/www/file"
  serve
  accepted_as raw
}
image_qcow2_is_kept() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 -c plain file
  serve
  accepted_as qcow2
  cmp "$test/www/file" "$test/cache/sha256/$digest"
}
image_qcow2_with_leaks_is_accepted() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 plain file
  python3 - "$test/www/file" <<'P'
import os, struct, sys
with open(sys.argv[1], 'r+b') as f:                   # a cluster more, which the refcounts count and nobody uses
    end = -(-os.path.getsize(sys.argv[1]) // 65536)
    f.truncate((end + 1) * 65536)
    f.seek(48)
    table, = struct.unpack('>Q', f.read(8))
    f.seek(table)
    block, = struct.unpack('>Q', f.read(8))
    f.seek(block + 2 * end)
    f.write(struct.pack('>H', 1))
P
  code=0
  in_www qemu-img check -q file || code=$?
  same "qemu-img check's exit code" 3 $code
  serve
  accepted_as qcow2
}
image_vmdk_becomes_qcow2() { # test
  plain
  in_www qemu-img convert -f raw -O vmdk plain file
  serve
  accepted_as qcow2
}
image_vmdk_stream_optimized_becomes_qcow2() { # test
  plain
  in_www qemu-img convert -f raw -O vmdk -o subformat=streamOptimized plain file
  serve
  declared=vmdk
  accepted_as qcow2
}
image_vhdx_becomes_qcow2() { # test
  plain
  in_www qemu-img convert -f raw -O vhdx plain file
  serve
  declared=vhdx
  accepted_as qcow2
}
image_compressed_is_decompressed() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 plain qcow2
  for format in gzip xz zstd; do
    compress $format qcow2
    serve
    accepted_as qcow2
    cmp "$test/www/qcow2" "$test/cache/sha256/$digest"
    next_file
  done
}
image_compressed_in_several_pieces_is_decompressed() { # test
  plain
  split -b 2M "$test/www/plain" "$test/www/piece-"
  for piece in "$test"/www/piece-*; do in_www zstd -q --format=xz -c "${piece##*/}" >> "$test/www/file"; done
  serve
  declared=raw
  accepted_as raw
}
image_compressed_raw_is_stored_sparsely() { # test
  plain
  truncate -s 200M "$test/www/plain"
  compress zstd plain
  serve
  accepted_as raw
  blocks=$(stat -c %b "$test/cache/sha256/$digest")
  [ "$blocks" -lt 8192 ] || fail "it takes $blocks blocks of 512 bytes"
}
image_compressed_vmdk_becomes_qcow2() { # test
  plain
  in_www qemu-img convert -f raw -O vmdk plain vmdk
  compress gzip vmdk
  serve
  declared=vmdk
  accepted_as qcow2
}
image_that_was_cached_as_another_format_is_examined_again() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 plain file
  serve
  accepted_as qcow2
  declared=qcow2
  accepted_as qcow2
  declared=vmdk
  refused download "sha256:$digest" "$url/good"
  same reason ImageRefused "$(reason)"
  declared=''
  download "sha256:$digest" "$url/good" > "$test/again"
  has "$test/again" cached:
}
# A guest can write what it likes to the start of its raw disk, also the header of a qcow2 that names a file of the node. If that
# disk is published as raw and somebody opened it without saying so, QEMU would take it for a qcow2 and show that file to the
# guest. So it is raw all the way: for `download`, for `disk`, and in the overlay.
image_declared_raw_is_raw_whatever_it_begins_with() { # test
  plain
  in_www qemu-img create -q -f qcow2 -F raw -b /etc/shadow -u plain 1M
  truncate -s 8M "$test/www/plain"
  cp "$test/www/plain" "$test/www/file"
  serve
  declared=raw
  accepted_as raw
  mkdir "$test/disks"
  for _ in made kept; do
    docker run --rm -v "$test/cache:/cache:ro" -v "$test/work:/handover:ro" -v "$test/disks:/disks/root" \
      --entrypoint /usr/lib/qemu-operator/disk "$runner" root overlay 0
  done
  docker run --rm -v "$test/cache:/cache:ro" -v "$test/disks:/disks" -v "$test/www:/www:ro" --entrypoint qemu-img "$runner" \
    compare -f raw -F qcow2 /www/plain /disks/disk.qcow2
  declared=''
  refused download "sha256:$digest" "$url/good"
  has "$test/termination" 'names /etc/shadow as its base'
}

image_with_a_backing_file_is_refused() { # test
  plain
  in_www qemu-img create -q -f qcow2 -F raw -b /etc/shadow -u file 1M
  refused_saying 'names /etc/shadow as its base'
}
image_compressed_with_a_backing_file_is_refused() { # test
  plain
  in_www qemu-img create -q -f qcow2 -F raw -b /outside/secret -u qcow2 1M
  compress xz qcow2
  refused_saying 'names /outside/secret as its base'
}
image_with_a_data_file_is_refused() { # test
  plain
  for data in /outside/secret /cache/sha256/another; do
    in_www sh -c "mkdir -p /outside /cache/sha256; qemu-img create -q -f qcow2 -o data_file=$data,data_file_raw=on file 1M"
    refused_saying 'keeps its data in another file'
    next_file
  done
}
image_of_an_exbibyte_is_refused() { # test
  plain
  in_www qemu-img create -q -f qcow2 -o cluster_size=2M file 1E
  refused_saying 'has a virtual size of 1152921504606846976 bytes'
}
image_truncated_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 plain file
  truncate -s -500K "$test/www/file"
  refused_saying 'is damaged'
}
image_with_a_corrupt_l1_table_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 plain file
  python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as f:
    f.seek(40)
    table, = struct.unpack(">Q", f.read(8))
    f.seek(table)
    f.write(struct.pack(">Q", 1 << 63 | 0x7ffff0000))' "$test/www/file"
  refused_saying 'is damaged'
}
image_with_corrupt_refcounts_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 plain file
  python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as f:
    f.seek(48)
    table, = struct.unpack(">Q", f.read(8))
    f.seek(table)
    block, = struct.unpack(">Q", f.read(8))
    f.seek(block)
    f.write(bytes(64))' "$test/www/file"
  refused_saying 'is damaged'
}
image_encrypted_is_refused() { # test
  plain
  in_www qemu-img create -q -f qcow2 --object secret,id=s,data=secret -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 file 1M
  refused_saying 'is encrypted'
}
image_luks_is_refused() { # test
  plain
  in_www qemu-img create -q -f luks --object secret,id=s,data=secret -o key-secret=s,iter-time=10 file 1M
  refused_saying encrypted
}
image_of_another_format_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O vdi plain file
  refused_saying "has the format 'vdi'"
}
image_of_another_format_than_declared_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 plain file
  for declared in vmdk vhdx; do refused_saying "has the format qcow2, but $declared is declared"; done
}
image_raw_declared_qcow2_is_refused() { # test
  plain
  cp "$test/www/plain" "$test/www/file"
  declared=qcow2
  refused_saying 'has the format raw, but qcow2 is declared'
}
image_vmdk_declared_raw_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O vmdk plain file
  declared=raw
  refused_saying 'begins like a VMDK or VHDX, but raw is declared'
}
image_declared_as_nonsense_is_refused() { # test
  plain
  serve
  declared=../../x
  refused download "sha256:$digest" "$url/good"
  same reason ImageRefused "$(reason)"
  same requests '' "$(cat "$test/www/requests" 2>/dev/null)"
}
image_damaged_in_its_compression_is_refused() { # test
  plain
  for format in gzip xz zstd; do
    compress $format plain
    truncate -s -1000 "$test/www/file"
    refused_saying 'is compressed and damaged'
    next_file
  done
}
image_compressed_twice_is_refused() { # test
  plain
  compress xz plain
  mv "$test/www/file" "$test/www/once"
  compress gzip once
  refused_saying 'holds a compressed file or an archive'
}
# If they were decompressed to their end, two of them would take longer than `ended` waits.
bomb() { # FORMAT PIECES: that many times 100 MiB of zeros
  plain
  truncate -s 100M "$test/www/zeros"
  in_www zstd -q --format="$1" -c zeros > "$test/www/piece"
  python3 -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], "rb").read() * int(sys.argv[2]))' "$test/www/piece" "$2" > "$test/www/file"
  size=$(stat -c %s "$test/www/file")
  limit=$((100 * size))
  [ $limit -ge 1073741824 ] || limit=1073741824
  refused_saying "the image has $size bytes, which decompressed become more than $limit"
}
image_bomb_of_gzip_is_refused() { # test
  bomb gzip 20
}
image_bomb_of_xz_is_refused() { # test
  bomb xz 3000
}
image_bomb_of_zstd_is_refused() { # test
  bomb zstd 10000
}
image_bomb_of_vmdk_is_refused() { # test
  plain
  head -c 1100M /dev/zero | tr '\000' x > "$test/www/filled"
  in_www qemu-img convert -f raw -O vmdk -o subformat=streamOptimized filled file
  rm "$test/www/filled"
  refused_saying 'which converted become more than 1073741824'
}

vmdk_descriptor() { # TYPE EXTENTS
  printf '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="%s"\n%s\n' "$1" "$2"
}
vmdk_with_descriptor() { # its standard input instead of its own descriptor
  in_www qemu-img convert -f raw -O vmdk plain file
  cat > "$test/descriptor"
  python3 -c 'import sys
descriptor = open(sys.argv[2], "rb").read()
with open(sys.argv[1], "r+b") as f:
    f.seek(512)
    f.write(descriptor.ljust(10240, b"\0"))' "$test/www/file" "$test/descriptor"
}
image_vmdk_flat_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O vmdk -o subformat=monolithicFlat plain file
  refused_saying 'is a VMDK whose data is in other files'
}
image_vmdk_descriptor_of_another_file_is_refused() { # test
  plain
  # what `qemu-img info` itself would follow: this shows that the test tests something
  vmdk_descriptor monolithicFlat 'RW 1 FLAT "/etc/passwd" 0' > "$test/www/file"
  in_www qemu-img info file > "$test/info"
  has "$test/info" 'filename: /etc/passwd'
  for start in '' '\n' '# comment\n\n' ' \n' '\r\n'; do
    for extent in 'RW 1 FLAT "/etc/passwd" 0' 'RW 1 FLAT "/cache/sha256/another" 0' 'RW 1 FLAT "nbd://127.0.0.1:1/x" 0'; do
      # shellcheck disable=SC2059 # escapes are wanted
      { printf "$start"; vmdk_descriptor monolithicFlat "$extent" | tail -n +2; } > "$test/www/file"
      refused_saying 'is a VMDK whose data is in other files'
      next_file
    done
  done
}
image_vmdk_that_goes_by_its_descriptor_is_refused() { # test
  plain
  vmdk_descriptor monolithicFlat 'RW 1 FLAT "/etc/passwd" 0' | vmdk_with_descriptor
  python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(12)
    f.write(bytes(8))' "$test/www/file"
  in_www qemu-img info file > "$test/info"
  has "$test/info" 'filename: /etc/passwd'
  refused_saying 'is a VMDK whose data is in other files'
}
image_vmdk_of_another_type_is_refused() { # test
  plain
  vmdk_descriptor twoGbMaxExtentSparse 'RW 16384 SPARSE "file"' | vmdk_with_descriptor
  refused_saying "is a VMDK of the type 'twoGbMaxExtentSparse'"
}
image_vmdk_of_several_extents_is_refused() { # test
  plain
  vmdk_descriptor monolithicSparse "$(printf 'RW 16384 SPARSE "file"\nRW 1 FLAT "/etc/passwd" 0')" | vmdk_with_descriptor
  refused_saying 'is a VMDK whose data is in other files'
}
image_vmdk_with_an_extent_elsewhere_is_refused() { # test
  plain
  vmdk_descriptor monolithicSparse 'RW 16384 SPARSE "/cache/sha256/another"' | vmdk_with_descriptor
  refused_saying 'is a VMDK whose data is in other files'
}
image_vmdk_with_a_parent_is_refused() { # test
  plain
  in_www sh -c 'qemu-img convert -f raw -O vmdk plain parent && qemu-img create -q -f vmdk -F vmdk -b parent file'
  refused_saying 'is a VMDK with a parent'
}
image_vmdk_truncated_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O vmdk plain file
  truncate -s -500K "$test/www/file"
  refused_saying 'is damaged'
}
image_vhdx_with_a_parent_is_refused() { # test
  plain
  in_www qemu-img convert -f raw -O vhdx plain file
  python3 - "$test/www/file" <<'P'
import struct, sys, uuid
data = open(sys.argv[1], 'rb').read()
table = data.index(b'metadata')
entry = data.index(uuid.UUID('caa16737-fa36-4d43-b3b6-33f0aa44e76b').bytes_le, table)   # the file parameters
offset, = struct.unpack_from('<I', data, entry + 16)
with open(sys.argv[1], 'r+b') as f:
    f.seek(table + offset + 4)
    f.write(struct.pack('<I', 2))                     # HasParent
P
  refused_saying 'cannot be read as a disk image'
}
image_examined_by_somebody_else_is_refused() { # test
  # qemu-img taken over by an image that it reads: what it can leave to root
  plain
  cp "$test/www/plain" "$test/www/file"
  for left in 'ln -s /outside/secret image' 'ln -s /etc/passwd image' 'mkdir image' 'mkfifo image' 'echo > other; ln other image' \
    'ln -s nowhere image'; do
    printf '#!/bin/sh\n%s\necho raw >&8\n' "$left" > "$test/examine"
    chmod 755 "$test/examine"
    refused_saying 'leave no regular file' -v "$test/examine:/usr/lib/qemu-operator/examine:ro"
    rm "$test"/work/*
  done
  printf '#!/bin/sh\necho "vmdk\\"}" >&8\n' > "$test/examine"
  refused_saying 'made its examination say' -v "$test/examine:/usr/lib/qemu-operator/examine:ro"
}
image_is_examined_without_rights() { # test
  plain
  cp "$test/www/plain" "$test/www/file"
  printf '#!/bin/sh\nid -u >&2; grep -E "^(Cap|NoNewPrivs)" /proc/self/status >&2; touch "$CACHE/x" "$1" "$CACHE/sha256/x"; echo said >&8; exit 1\n' > "$test/examine"
  chmod 755 "$test/examine"
  refused_saying said -v "$test/examine:/usr/lib/qemu-operator/examine:ro"
  has "$test/output" 107
  has "$test/output" "NoNewPrivs:	1"
  same capabilities 5 "$(grep -c '^Cap[A-Z][a-z]*:	0000000000000000$' "$test/output")"
  same 'denied writes' 3 "$(grep -c 'ermission denied' "$test/output")"
}

image_is_not_blamed_if_its_examination_is_killed() { # test
  plain
  in_www qemu-img convert -f raw -O qcow2 plain file
  serve
  printf '#!/bin/sh\ncase $1 in check) kill -9 $$;; esac\nexec /usr/bin/qemu-img "$@"\n' > "$test/qemu-img"
  chmod 755 "$test/qemu-img"
  # shellcheck disable=SC2046 # words
  refused docker run --rm -v "$test/qemu-img:/killed/qemu-img:ro" -e PATH=/killed:/usr/sbin:/usr/bin $(download_options) "$runner" \
    root "sha256:$digest" "$url/good"
  same reason DownloadFailed "$(reason)"
  has "$test/termination" 137
  same 'files under their digest' '' "$(ls "$test/cache/sha256")"
}

full() { # the cache has 8 MB
  serve
  refused docker run --rm --network host -v "$test/work:/handover" --tmpfs /cache:size=8m -v "$test/termination:/dev/termination-log" \
    -e HANDOVER=/handover -e CACHE=/cache --entrypoint sh "$runner" -c '
      /usr/lib/qemu-operator/download "$@" || code=$?; ls /cache/sha256 /cache/partial-* 2>/dev/null; exit $code' \
    - root "sha256:$digest" "$url/good" > "$test/output"
  same reason CacheFull "$(reason)"
  has "$test/termination" 'decompressed or converted'
  lacks "$test/output" partial-
}
image_says_that_the_cache_is_full_for_what_is_decompressed() { # test
  plain
  head -c 5M /dev/urandom > "$test/www/random"
  compress zstd random
  full
}
image_says_that_the_cache_is_full_for_what_is_converted() { # test
  plain
  head -c 5M /dev/urandom > "$test/www/random"
  in_www qemu-img convert -f raw -O vmdk random file
  full
}

interrupted() { # SIGNAL EXIT-CODE: in the middle of examining what is published
  # shellcheck disable=SC2046 # words
  killed=$(start --cpus 0.1 $(download_options) "$runner" root "sha256:$digest" "$url/good")
  within 60 'a file being made' sh -c "ls $test/cache/partial-*.d/new"
  docker kill -s "$1" "$killed"
  ended "$killed" "$2"
  same 'files under their digest' '' "$(ls "$test/cache/sha256")"
  [ ! -e "$test/work/digest-root" ] || fail 'a digest was left'
}
large() { # 300 MB of something, $test/www/plain
  plain
  python3 -c 'import random, sys
random.seed(1)
block = random.randbytes(1 << 20)
for i in range(300): sys.stdout.buffer.write(block[i:] + block[:i])' > "$test/www/plain"
}
image_killed_while_decompressed_is_made_by_the_next() { # test
  large
  compress zstd plain
  serve
  interrupted KILL 137
  [ -e "$(echo "$test"/cache/partial-*.d)" ] || fail 'it was not killed in the middle'
  accepted_as raw
  grep -q '/good bytes=[1-9]' "$test/www/requests" || fail 'it was downloaded again'
}
image_killed_while_converted_is_made_by_the_next() { # test
  large
  in_www qemu-img convert -f raw -O vmdk plain file
  serve
  interrupted KILL 137
  [ -e "$(echo "$test"/cache/partial-*.d)" ] || fail 'it was not killed in the middle'
  accepted_as qcow2
  grep -q '/good bytes=[1-9]' "$test/www/requests" || fail 'it was downloaded again'
}
image_stopped_while_converted_leaves_the_download_alone() { # test
  large
  in_www qemu-img convert -f raw -O vmdk plain file
  serve
  interrupted TERM 143
  key=$(echo "sha256:$digest" | sha256sum | cut -c 1-32)
  same 'partial files' "partial-$key" "$(cd "$test/cache" && echo partial-*)"
}
image_whose_examination_was_killed_is_not_refused() { # test
  plain
  in_www qemu-img convert -f raw -O vmdk plain vmdk
  compress zstd vmdk
  serve
  # the kernel kills one process for lack of memory
  for program in sha256sum zstd qemu-img od; do
    mkdir "$test/$program"
    printf '#!/bin/sh\n[ $# != 0 ] || exec busybox %s\nkill -9 $$\n' $program > "$test/$program/$program"
    chmod 755 "$test/$program/$program"
    # shellcheck disable=SC2046 # words
    refused docker run --rm -v "$test/$program:/first:ro" -e PATH=/first:/usr/sbin:/usr/bin $(download_options) "$runner" root "sha256:$digest" "$url/good"
    same "reason without $program" DownloadFailed "$(reason)"
    has "$test/termination" 'it is tried again'
    same 'notes of a refusal' '' "$(find "$test/cache" -name '*.refused')"
  done
  accepted_as qcow2
}
image_clears_up_after_those_killed_with_other_images() { # test
  plain
  cp "$test/www/plain" "$test/www/file"
  serve
  mkdir -p "$test/cache/lock" "$test/cache/partial-dead.d" "$test/cache/partial-alive.d"
  echo left > "$test/cache/partial-dead.d/image"
  echo left > "$test/cache/partial-dead.made"
  half=$(echo another | sha256sum | cut -c 1-32)
  echo half > "$test/cache/partial-$half"
  touch -d '2 days ago' "$test/cache/partial-$half"
  flock "$test/cache/lock/alive" sleep 60 & holder=$!
  within 5 'a lock' sh -c "! flock -n $test/cache/lock/alive true"
  download "sha256:$digest" "$url/good"
  kill $holder
  same 'partial files' partial-alive.d "$(cd "$test/cache" && echo partial-*)"
}
image_refused_is_not_transferred_again_for_an_hour() { # test
  mkdir -p "$test/www"
  in_www qemu-img create -q -f qcow2 -u -F raw -b /etc/shadow file 64M
  refused_saying '/etc/shadow'
  cp "$test/www/requests" "$test/asked"
  refused download "sha256:$digest" "$url/good"
  same reason ImageRefused "$(reason)"
  has "$test/termination" '/etc/shadow'
  diff "$test/asked" "$test/www/requests"
  find "$test/cache/by-source" -name '*.refused' -exec touch -d '2 hours ago' {} \;
  refused download "sha256:$digest" "$url/good"
  same 'requests' "$(($(wc -l < "$test/asked") * 2))" "$(wc -l < "$test/www/requests")"
}
image_that_an_older_runner_cached_is_examined() { # test
  plain
  cp "$test/www/plain" "$test/www/file"
  serve
  mkdir -p "$test/cache/by-source"
  echo 'never examined' > "$test/cache/sha256/$digest"
  echo "$digest" > "$test/cache/by-source/$(echo "sha256:$digest" | sha256sum | cut -c 1-32)"
  accepted_as raw
  cmp "$test/www/file" "$test/cache/sha256/$digest"
}
