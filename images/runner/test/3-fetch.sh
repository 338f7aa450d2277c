# shellcheck shell=sh disable=SC2154 # the variables of `run`
fetch_directories() {
  mkdir -p "$test/work" "$test/cache"
  : > "$test/termination"
  docker run --rm -v "$test/work:/work" --entrypoint /usr/lib/qemu-operator/tools "$runner"
}
fetch_options() { echo "-v $test/work:/work -v $test/cache:/cache -v $test/termination:/dev/termination-log -e WORK=/work -e CACHE=/cache"; }
fetch() { # FILE, docker's options
  file=$1
  shift
  # shellcheck disable=SC2046 # words
  docker run --rm $(fetch_options) "$@" "$tiny" /work/busybox sh /work/fetch root "$tiny" "$file"
}

fetch_puts_the_file_under_its_digest() { # test
  fetch_directories
  fetch /disk/disk.qcow2
  digest=$(cat "$test/work/digest-root")
  same digest "$digest" "$(sha256sum < "$test/cache/sha256/$digest" | cut -d ' ' -f 1)"
  same mode 444 "$(stat -c %a "$test/cache/sha256/$digest")"
}
fetch_three_at_once_copy_once() { # test
  fetch_directories
  fetch /disk/disk.qcow2 > "$test/1" & one=$!
  fetch /disk/disk.qcow2 > "$test/2" & two=$!
  fetch /disk/disk.qcow2 > "$test/3" & three=$!
  wait $one; wait $two; wait $three
  same 'copies made' 1 "$(cat "$test/1" "$test/2" "$test/3" | grep -c ^stored:)"
  same 'taken from the cache' 2 "$(cat "$test/1" "$test/2" "$test/3" | grep -c ^cached:)"
}
fetch_killed_in_mid_copy_leaves_no_wrong_file() { # test
  fetch_directories
  truncate -s 100M "$test/big"
  echo end >> "$test/big"
  # shellcheck disable=SC2046 # words
  killed=$(start --cpus 0.1 $(fetch_options) -v "$test/big:/disk/disk.qcow2:ro" "$tiny" /work/busybox sh /work/fetch root "$tiny" /disk/disk.qcow2)
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
  stopped=$(start --cpus 0.1 $(fetch_options) -v "$test/big:/disk/disk.qcow2:ro" "$tiny" /work/busybox sh /work/fetch root "$tiny" /disk/disk.qcow2)
  within 20 'a partial file' sh -c "ls $test/cache/partial-*"
  docker kill -s TERM "$stopped"
  ended "$stopped" 143
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
  same reason DiskFileMissing "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["data"]["reason"])' "$test/termination")"
}
fetch_says_that_the_cache_is_full() { # test
  fetch_directories
  refused docker run --rm -v "$test/work:/work" --tmpfs /cache:size=4m -v "$test/termination:/dev/termination-log" -e WORK=/work -e CACHE=/cache \
    "$tiny" /work/busybox sh /work/fetch root "$tiny" /disk/disk.qcow2
  same reason CacheFull "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["data"]["reason"])' "$test/termination")"
}
