# shellcheck shell=sh disable=SC2154,SC2034 # the variables of `run`
# `download` from files of a directory that the container mounts: a HostPathRoot or a claim.
place=HostPathRoot/lab:images/disk

a_file() { # random bytes as $test/sources/HostPathRoot/lab/images/disk; sets $root, $file, $digest
  root=$test/sources/HostPathRoot/lab file=$root/images/disk
  mkdir -p "$test/work" "$test/cache" "$root/images"
  : > "$test/termination"
  head -c "${1:-3000000}" /dev/urandom > "$file"
  digest=$(sha256sum < "$file" | cut -d ' ' -f 1)
}
# shellcheck disable=SC2046,SC2086 # words
take() { # PLACE...: with $hooks, docker's options
  timeout 60 docker run --rm -v "$test/sources:/sources" ${hooks:-} -e NODE=n1 $(download_options) "$runner" root "sha256:$digest" "$@"
}
hook() { # PROGRAM, its text is the input: what the script finds in place of it
  mkdir -p "$test/hooks"
  cat > "$test/hooks/$1"
  chmod 755 "$test/hooks/$1"
  # found by PATH, not mounted over the program: that is a link to busybox, which the hook itself needs
  hooks="-v $test/hooks:/hooks:ro -e PATH=/hooks:/usr/sbin:/usr/bin --pids-limit 100"
}
is_stored() {
  same digest "$digest" "$(cat "$test/work/digest-root")"
  same 'sum of what is cached' "$digest" "$(sha256sum < "$test/cache/sha256/$digest" | cut -d ' ' -f 1)"
  same 'partial files' '' "$(find "$test/cache" -name 'partial-*')"
}
is_unavailable() { # WHY
  same reason ImageFileUnavailable "$(reason)"
  has "$test/termination" "$place on node n1 $1"
  has "$test/termination" '; it is tried again'
  same 'files under their digest' '' "$(ls "$test/cache/sha256")"
  same 'partial files' '' "$(find "$test/cache" -name 'partial-*')"
}

file_is_stored() { # test
  a_file
  take "$place"
  is_stored
  told_digest "$digest" raw "$place"
  same 'links of the file' 1 "$(stat -c %h "$file")"
}
file_comes_before_a_url_that_comes_after_it() { # test
  a_file
  mkdir -p "$test/www"
  cp "$file" "$test/www/file"
  serve
  take "$place" "$url/good"
  is_stored
  told_digest "$digest" raw "$place"
  [ ! -e "$test/www/requests" ] || fail 'the server was asked'
}
file_that_is_missing_is_followed_by_the_url() { # test
  a_file
  mkdir -p "$test/www"
  mv "$file" "$test/www/file"
  serve
  take "$place" "HostPathRoot/none:disk" "$url/good"
  is_stored
  told_digest "$digest" raw "$url/good"
}
file_follows_a_url_that_fails() { # test
  a_file
  serve
  digest=$(sha256sum < "$file" | cut -d ' ' -f 1)
  take "$url/missing" "$place"
  is_stored
  told_digest "$digest" raw "$place"
}
file_that_is_missing_leaves_what_a_download_has() { # test
  serve
  mkdir -p "$test/sources"
  key=$(echo "sha256:$digest" | sha256sum | cut -c 1-32)
  head -c 1500000 "$test/www/file" > "$test/cache/partial-$key"
  take "$place" "$url/good"
  is_stored
  has "$test/www/requests" '/good bytes=1500000-'
}
file_that_is_missing_is_told_with_its_place_and_node() { # test
  a_file
  rm "$file"
  refused take "$place"
  is_unavailable 'does not exist, put it there'
  rm -r "$root"
  refused take "$place"
  is_unavailable 'does not exist, put it there'
}
file_that_is_missing_and_a_url_that_fails_are_both_told() { # test
  a_file
  rm "$file"
  serve
  refused take "$place" "$url/missing"
  same reason DownloadFailed "$(reason)"
  has "$test/termination" "$place on node n1 does not exist"
  has "$test/termination" 'ERROR 404'
}
file_with_another_checksum_is_refused() { # test
  a_file
  actual=$digest
  digest=$(echo other | sha256sum | cut -d ' ' -f 1)
  refused take "$place"
  same reason ChecksumMismatch "$(reason)"
  has "$test/termination" "$place on node n1 has sha256:$actual, but sha256:$digest is required"
}
file_with_another_checksum_is_followed_by_the_next() { # test
  a_file
  mkdir -p "$test/sources/PersistentVolumeClaim/images"
  mv "$file" "$test/sources/PersistentVolumeClaim/images/disk"
  echo another > "$file"
  take "$place" PersistentVolumeClaim/images:disk
  is_stored
  told_digest "$digest" raw PersistentVolumeClaim/images:disk
}
file_behind_a_link_is_refused() { # test
  a_file
  mkdir "$test/sources/other"
  mv "$root/images" "$test/sources/other/"
  for target in ../../other/images /sources/other/images; do # what leads there in the container
    ln -sfn $target "$root/images"
    refused take "$place"
    is_unavailable 'is no regular file but behind a symbolic link'
  done
}
file_that_is_a_link_is_refused() { # test
  a_file
  mv "$file" "$file-itself"
  ln -s disk-itself "$file"
  refused take "$place"
  is_unavailable 'is no regular file but symbolic link'
}
file_that_is_none_is_refused() { # test
  a_file
  rm "$file"
  mkfifo "$file"
  refused take "$place"
  is_unavailable 'is no regular file but fifo'
  rm "$file"
  mkdir "$file"
  refused take "$place"
  is_unavailable 'is no regular file but directory'
  rmdir "$file"
  if mknod "$file" c 1 5 2>/dev/null; then
    refused take "$place"
    is_unavailable 'is no regular file but character special file'
  fi
}
file_that_is_swapped_once_it_was_looked_at_is_not_followed() { # test
  a_file
  hook stat <<'H'
#!/bin/sh
/usr/bin/busybox stat "$@"
[ "$2" != %s ] || sh /sources/swap
H
  for swap in 'ln -sf /etc/passwd disk' 'rm disk; mkfifo disk' 'rm disk; mkdir disk'; do
    rm -rf "$file"
    echo itself > "$file"
    echo "$swap" > "$test/sources/swap"
    code=0
    take "$place" || code=$?
    same 'exit code' 1 $code
    case $(reason) in ImageFileUnavailable|ChecksumMismatch) ;; *) fail "$swap: another reason";; esac
    lacks "$test/termination" "$(docker run --rm --entrypoint sha256sum "$runner" /etc/passwd | cut -d ' ' -f 1)"
    same 'files under their digest' '' "$(ls "$test/cache/sha256")"
  done
}
file_that_is_written_while_it_is_read_is_not_taken_for_whole() { # test
  a_file 300000000
  ( while [ ! -e "$test/end" ]; do head -c 1000 /dev/urandom | dd of="$file" bs=1000 seek=299000 conv=notrunc 2>/dev/null; done ) & writer=$!
  trap 'touch "$test/end"; wait $writer || true' EXIT
  within 10 'another content' sh -c "[ \"\$(sha256sum < '$file' | cut -c 1-64)\" != $digest ]"
  refused take "$place"
  same reason ChecksumMismatch "$(reason)"
  has "$test/termination" "$place on node n1 has sha256:"
  same 'files under their digest' '' "$(ls "$test/cache/sha256")"
}
file_that_has_no_room_says_that_the_cache_is_full() { # test
  a_file
  refused docker run --rm -v "$test/sources:/sources:ro" -v "$test/work:/handover" --tmpfs /cache:size=1m \
    -v "$test/termination:/dev/termination-log" -e HANDOVER=/handover -e CACHE=/cache --entrypoint /usr/lib/qemu-operator/download \
    "$runner" root "sha256:$digest" "$place"
  same reason CacheFull "$(reason)"
}
file_is_examined_like_any_other() { # test
  a_file
  qemu_img create -q -f qcow2 -u -F raw -b /etc/shadow /root/images/disk 64M
  digest=$(sha256sum < "$file" | cut -d ' ' -f 1)
  refused take "$place"
  same reason ImageRefused "$(reason)"
  has "$test/termination" /etc/shadow
}
qemu_img() { docker run --rm -v "$root:/root" --entrypoint qemu-img "$runner" "$@"; }
file_with_a_strange_name_is_a_name() { # test
  a_file
  place='HostPathRoot/lab:images/-a+b@c,d=e~f%g'
  mv "$file" "$root/images/-a+b@c,d=e~f%g"
  take "$place"
  is_stored
}
file_shows_how_much_of_it_has_come() { # test
  a_file
  hook dd <<'H'
#!/bin/sh
part=${2#of=}
head -c 1500000 "${1#if=}" > "$part"
sleep 3
cat "${1#if=}" > "$part"
H
  take "$place" > "$test/output"
  is_stored
  has "$test/output" '50 %, '
}
