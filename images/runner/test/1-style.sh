# shellcheck shell=sh disable=SC2154 # the variables of `run`
shell_scripts_are_shellcheck_clean() { # test
  cd "$repository" || exit
  git ls-files | while read -r file; do
    [ -f "$file" ] || continue
    case $(head -c 64 "$file" | head -n 1 | tr -d '\0') in '#!/bin/sh'*|'#!/bin/bash'*|'#!/usr/bin/env bash'*|'#!/usr/bin/env sh'*) echo "$file";; esac
  done > "$test/scripts"
  [ -s "$test/scripts" ] || fail 'no scripts found'
  ls "$here"/*.sh >> "$test/scripts"
  # SC2016: awk's and sed's own variables; SC2317: functions that a trap calls
  xargs shellcheck -x -e SC2016,SC2317 < "$test/scripts"
}
runner_carries_the_licences() { # test
  docker run --rm --entrypoint sh "$runner" -c 'while read -r package _; do
    [ -s /usr/share/doc/$package/copyright ] || { echo "no licence of $package"; exit 1; }; done < /usr/share/doc/packages; grep ^qemu-system-x86 /usr/share/doc/packages'
}
runner_is_at_most_90_mb() { # test
  size=$(docker image inspect -f '{{.Size}}' "$runner")
  [ "$size" -le 90000000 ] || fail "it has $size bytes"
}
