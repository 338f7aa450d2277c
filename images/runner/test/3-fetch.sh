# shellcheck shell=sh disable=SC2154 # the variables of `run`
fetch_directories() {
  mkdir -p "$test/work" "$test/cache"
  : > "$test/termination"
  docker run --rm -v "$test/work:/handover" --entrypoint /usr/lib/qemu-operator/tools "$runner"
}
fetch_options() { echo "-v $test/work:/handover -v $test/cache:/cache -v $test/termination:/dev/termination-log -e HANDOVER=/handover -e CACHE=/cache"; }
fetch() { # FILE, docker's options
  file=$1
  shift
  # shellcheck disable=SC2046 # words
  docker run --rm $(fetch_options) "$@" "$tiny" /handover/busybox sh /handover/fetch root "$tiny" "$file"
}

fetch_puts_the_file_under_its_digest() { # test
  fetch_directories
  fetch /disk/disk.qcow2
  digest=$(cat "$test/work/digest-root")
  same digest "$digest" "$(sha256sum < "$test/cache/sha256/$digest" | cut -d ' ' -f 1)"
  same mode 444 "$(stat -c %a "$test/cache/sha256/$digest")"
}
fetch_tells_the_digest_also_of_what_is_cached() { # test
  fetch_directories
  fetch /disk/disk.qcow2
  told_digest "$(cat "$all/tiny/digest")"
  : > "$test/termination"
  fetch /disk/disk.qcow2
  told_digest "$(cat "$all/tiny/digest")"
}
fetch_of_the_pinned_digest() { # test
  fetch_directories
  fetch /disk/disk.qcow2 -e "DIGEST=sha256:$(cat "$all/tiny/digest")"
  same digest "$(cat "$all/tiny/digest")" "$(cat "$test/work/digest-root")"
}
fetch_of_other_content_than_the_pinned_is_refused() { # test
  fetch_directories
  refused fetch /disk/disk.qcow2 -e "DIGEST=sha256:$(echo other | sha256sum | cut -d ' ' -f 1)"
  same reason ChecksumMismatch "$(reason)"
  same 'files in the cache' '' "$(find "$test/cache" -type f)"
  [ ! -e "$test/work/digest-root" ] || fail 'a digest was left'
}
fetch_of_other_content_than_the_pinned_is_refused_if_cached() { # test
  fetch_directories
  fetch /disk/disk.qcow2
  rm "$test/work/digest-root"
  refused fetch /disk/disk.qcow2 -e "DIGEST=sha256:$(echo other | sha256sum | cut -d ' ' -f 1)"
  same reason ChecksumMismatch "$(reason)"
  [ ! -e "$test/work/digest-root" ] || fail 'a digest was left'
}
fetch_follows_no_link() { # test
  fetch_directories
  mkdir -p "$test/cache/sha256" "$test/disk/directory"
  echo secret > "$test/cache/sha256/of-another"
  mkfifo "$test/disk/fifo"
  ln -s /cache/sha256 "$test/disk/cache"
  ln -s /cache/sha256/of-another "$test/disk/absolute"
  ln -s ../../etc/passwd "$test/disk/relative"
  ln -s nowhere "$test/disk/dangling"
  for file in absolute relative dangling directory fifo cache/of-another; do
    : > "$test/termination"
    refused fetch "/d/$file" -v "$test/disk:/d"
    same "reason for $file" ImageRefused "$(reason)"
    same 'files in the cache' "$test/cache/sha256/of-another" "$(find "$test/cache" -type f)"
  done
  [ ! -e "$test/work/digest-root" ] || fail 'a digest was left'
}
fetch_three_at_once_make_one_file() { # test
  fetch_directories
  for pod in 1 2 3; do cp -r "$test/work" "$test/work-$pod"; done
  fetch /disk/disk.qcow2 -v "$test/work-1:/pod" -e HANDOVER=/pod & one=$!
  fetch /disk/disk.qcow2 -v "$test/work-2:/pod" -e HANDOVER=/pod & two=$!
  fetch /disk/disk.qcow2 -v "$test/work-3:/pod" -e HANDOVER=/pod & three=$!
  wait $one; wait $two; wait $three
  digest=$(cat "$all/tiny/digest")
  same 'files under their digest' "$digest" "$(ls "$test/cache/sha256")"
  same digest "$digest" "$(sha256sum < "$test/cache/sha256/$digest" | cut -d ' ' -f 1)"
  same 'partial files' '' "$(find "$test/cache" -name 'partial-*')"
  same 'remembered digests' "$digest" "$(cat "$test"/cache/by-source/*)"
  for pod in 1 2 3; do same "digest of pod $pod" "$digest" "$(cat "$test/work-$pod/digest-root")"; done
}
fetch_loads_no_code_of_the_image() { # test
  fetch_directories
  same tools 'busybox fetch ' "$(find "$test/work" -type f -exec basename {} \; | sort | tr '\n' ' ')"
  echo /of-the-image.so > "$test/preload"
  fetch /disk/disk.qcow2 -v "$test/preload:/etc/ld.so.preload:ro" -e LD_PRELOAD=/of-the-image.so -e LD_AUDIT=/of-the-image.so > "$test/said" 2>&1
  has "$test/said" stored:
  lacks "$test/said" ld.so
  lacks "$test/said" of-the-image
}
fetch_removes_what_killed_ones_left_long_ago() { # test
  fetch_directories
  touch -d '2 hours ago' "$test/cache/partial-copy-oldold" "$test/cache/partial-0123456789abcdef0123456789abcdef"
  touch "$test/cache/partial-copy-newnew"
  fetch /disk/disk.qcow2
  same 'partial files' 'partial-0123456789abcdef0123456789abcdef partial-copy-newnew' "$(cd "$test/cache" && echo partial-*)"
}
fetch_killed_in_mid_copy_leaves_no_wrong_file() { # test
  fetch_directories
  truncate -s 100M "$test/big"
  echo end >> "$test/big"
  # shellcheck disable=SC2046 # words
  killed=$(start --cpus 0.1 $(fetch_options) -v "$test/big:/disk/disk.qcow2:ro" "$tiny" /handover/busybox sh /handover/fetch root "$tiny" /disk/disk.qcow2)
  within 20 'a partial file' sh -c "ls $test/cache/partial-*"
  docker kill -s KILL "$killed"
  ended "$killed" 137
  same 'files under their digest' '' "$(ls "$test/cache/sha256")"
  [ ! -e "$test/work/digest-root" ] || fail 'a digest was left'
  fetch /disk/disk.qcow2 -v "$test/big:/disk/disk.qcow2:ro"
  same digest "$(sha256sum < "$test/big" | cut -d ' ' -f 1)" "$(cat "$test/work/digest-root")"
  same 'partial files' '' "$(find "$test/cache" -name 'partial-*')"
}
fetch_stops_on_sigterm() { # test
  fetch_directories
  truncate -s 100M "$test/big"
  # shellcheck disable=SC2046 # words
  stopped=$(start --cpus 0.1 $(fetch_options) -v "$test/big:/disk/disk.qcow2:ro" "$tiny" /handover/busybox sh /handover/fetch root "$tiny" /disk/disk.qcow2)
  within 20 'a partial file' sh -c "ls $test/cache/partial-*"
  docker kill -s TERM "$stopped"
  ended "$stopped" 143
  same 'partial files' '' "$(find "$test/cache" -name 'partial-*')"
}
fetch_again_after_a_torn_cache_entry() { # test
  fetch_directories
  fetch /disk/disk.qcow2
  : > "$(ls "$test"/cache/by-source/*)"
  fetch /disk/disk.qcow2 > "$test/again"
  has "$test/again" stored:
}
fetch_says_that_the_file_is_missing() { # test
  fetch_directories
  refused fetch /disk/other.qcow2
  same reason DiskFileMissing "$(reason)"
}
fetch_says_that_the_cache_is_full() { # test
  fetch_directories
  refused docker run --rm -v "$test/work:/handover" --tmpfs /cache:size=4m -v "$test/termination:/dev/termination-log" -e HANDOVER=/handover -e CACHE=/cache \
    "$tiny" /handover/busybox sh /handover/fetch root "$tiny" /disk/disk.qcow2
  same reason CacheFull "$(reason)"
}
