# shellcheck shell=sh disable=SC2154 # the variables of `run`
base() { # NAME MEBIBYTES MINUTES: an image in the cache that was used last so long ago; sets $digest
  mkdir -p "$test/cache/sha256" "$test/cache/by-source"
  { echo "$1 of $test"; head -c "$(($2 << 20))" /dev/zero | tr '\0' "$1"; } > "$test/image"
  digest=$(sha256sum < "$test/image" | cut -d ' ' -f 1)
  echo "$digest qcow2" > "$test/cache/by-source/$(echo "sha256:$digest" | sha256sum | cut -c 1-32)"
  chmod 444 "$test/image"
  mv -f "$test/image" "$test/cache/sha256/$digest"
  touch -d "-$3 minutes" "$test/cache/sha256/$digest"
}
collect() { # ENVIRONMENT... -- ARGUMENTS
  options=
  while [ "$1" != -- ]; do options="$options -e $1"; shift; done
  shift
  # shellcheck disable=SC2086 # words
  docker run --rm $options -e CACHE=/cache -v "$test/cache:/cache" --entrypoint /usr/lib/qemu-operator/collect "$runner" "$@"
}
left() { # DIGEST...: exactly these are in the cache, and only they have an entry
  same 'images left' "$(printf '%s\n' "$@" | sort)" "$(ls "$test/cache/sha256")"
  same 'entries left' "$(printf '%s\n' "$@" | sort)" "$(cut -d ' ' -f 1 "$test"/cache/by-source/* | sort)"
}

collect_removes_what_has_not_been_used_for_long() { # test
  base a 1 3000
  base b 1 1000
  b=$digest
  collect UNUSED_MINUTES=2880 -- > "$test/output"
  has "$test/output" 'unused for 2 days'
  left "$b"
}
collect_removes_the_longest_unused_of_a_cache_that_is_too_large() { # test
  base a 8 300
  base b 8 900
  base c 8 200
  c=$digest
  base d 8 100
  collect MEBIBYTES=20 --
  left "$c" "$digest"
}
collect_without_a_limit_removes_nothing() { # test
  base a 1 1000000
  collect --
  collect UNUSED_MINUTES=0 MEBIBYTES=0 --
  left "$digest"
}
collect_of_a_cache_that_is_not_there_is_nothing() { # test
  mkdir "$test/cache"
  collect UNUSED_MINUTES=1 --
}
collect_leaves_alone_what_has_just_come() { # test
  base a 8 5
  collect UNUSED_MINUTES=1 MEBIBYTES=1 --
  collect -- full
  left "$digest"
}
collect_leaves_alone_what_is_asked_to_be_kept() { # test
  base a 1 3000
  a=$digest
  base b 1 3000
  b=$digest
  echo "$b qcow2" > "$test/cache/by-source/$(echo sha512:abc | sha256sum | cut -c 1-32)-qcow2" # published with another sum
  base c 1 3000
  docker run --rm -e KEEP="sha256:$a sha512:abc sha512:unknown" -e UNUSED_MINUTES=1 -e MEBIBYTES=1 -e CACHE=/cache -v "$test/cache:/cache" \
    --entrypoint /usr/lib/qemu-operator/collect "$runner"
  same 'images left' "$(printf '%s\n' "$a" "$b" | sort)" "$(ls "$test/cache/sha256")"
}
collect_leaves_alone_what_a_vm_runs_from() { # test
  directories "$test"
  mkdir -p "$test/cache/by-source"
  cp "$all/tiny/digest" "$test/work/digest-root"
  digest=$(cat "$all/tiny/digest")
  cp "$all/tiny/disk" "$test/cache/sha256/$digest"    # its own: other tests hold the one that they share
  echo "$digest qcow2" > "$test/cache/by-source/key"
  touch -d '-2 days' "$test/cache/sha256/$digest"
  # shellcheck disable=SC2046 # words
  vm=$(vm "$test" "$(pod)" -- --accelerator=TCG --disk=root:overlay:0 -- $(machine '') -S $(disk_device root ''))
  within 30 QEMU qemu_of "$vm"
  collect UNUSED_MINUTES=1 MEBIBYTES=1 --
  collect -- full
  left "$digest"
  docker rm -f "$vm"
  collect UNUSED_MINUTES=1 --
  left
}
vm_whose_base_is_being_removed_says_that_it_is_missing() { # test
  directories "$test"
  cp "$all/tiny/digest" "$test/work/digest-root"
  digest=$(cat "$all/tiny/digest")
  cp "$all/tiny/disk" "$test/cache/sha256/$digest"
  flock "$test/cache/sha256/$digest" sleep 60 &       # as `collect` does for a moment
  locked=$!
  # shellcheck disable=SC2046 # words
  vm=$(vm "$test" "$(pod)" -- --accelerator=TCG --disk=root:overlay:0 -- $(machine '') -S $(disk_device root ''))
  ended "$vm" 70
  kill $locked
  gave_up "$test" BaseImageMissing root
}
download_makes_room_in_a_full_cache() { # test
  serve
  options="--network host -v $test/work:/handover -v $test/termination:/dev/termination-log -e HANDOVER=/handover -e CACHE=/cache"
  # shellcheck disable=SC2086 # words
  docker run --rm $options --tmpfs /cache:size=4m --entrypoint sh "$runner" -c "
    mkdir /cache/sha256; head -c 2000000 /dev/zero > /cache/sha256/$(echo old | sha256sum | cut -d ' ' -f 1); touch -d '2020-01-01 00:00' /cache/sha256/*
    /usr/lib/qemu-operator/download root sha256:$digest $url/good; ls /cache/sha256" > "$test/output" 2>&1
  has "$test/output" 'because the cache is full'
  same 'what is in the cache' "$digest" "$(tail -n 1 "$test/output")"
}
download_clears_up_before_it_fetches() { # test
  serve
  fetched=$digest
  base a 1 3000
  old=$digest
  # shellcheck disable=SC2046 # words
  docker run --rm -e UNUSED_MINUTES=2880 $(download_options) "$runner" root "sha256:$fetched" "$url/good"
  [ ! -e "$test/cache/sha256/$old" ] || fail 'it is there still'
  [ -e "$test/cache/sha256/$fetched" ] || fail 'nothing came'
}
download_notes_when_it_was_used_last() { # test
  serve
  download "sha256:$digest" "$url/good"
  touch -d '-9 days' "$test/cache/sha256/$digest"
  download "sha256:$digest" "$url/good"
  same 'days ago' 0 "$((($(date +%s) - $(stat -c %Y "$test/cache/sha256/$digest")) / 86400))"
}
