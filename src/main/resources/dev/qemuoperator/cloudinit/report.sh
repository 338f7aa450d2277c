#!/bin/sh
# Runs early in every boot and leaves a process behind that writes two lines of JSON to a virtio-serial port: at once the
# boot's id, which says that an earlier boot's report is over; after the end of cloud-init, the report, and again when
# the addresses have changed.
# It never fails, so as not to be one of the errors that it reports.

send() { # LINE, to nobody on a hypervisor without the port
  for name in /sys/class/virtio-ports/*/name; do
    grep -qxF dev.qemu-operator.report "$name" || continue
    port=${name%/name}
    printf '%s\n' "$1" > "/dev/${port##*/}"
  done
}
json() { # each line of the input as a string, with commas between
  tr -d '\000-\011\013-\037' | cut -c 1-1024 | sed 's/[\\"]/\\&/g; s/.*/"&"/' | paste -s -d , -
}
text() { # WORDS as one string
  printf '%s\n' "$1" | json
}
first() { # PATTERN: the first text in a list after it in cloud-init's status
  tr -d '\n' < /run/cloud-init/status.json | grep -oE "$1: *\[ *\"([^\"\\]|\\\\.)*\"" | head -n 1 |
    sed 's/^[^[]*\[ *"//; s/"$//; s/\\\\*[nrt]/ /g; s/\\\(["\\]\)/\1/g'
}
addresses() { # [LINK]
  ip -o addr show ${1:+dev "$1"} scope global | awk '{print $4}' | cut -d / -f 1
}
cards() { # MAC and address of each link; real cards first, since not everything is read
  for address in /sys/class/net/*/device/net/*/address /sys/class/net/*/address; do
    read -r mac < "$address" || continue
    link=${address%/address}
    addresses "${link##*/}" | sed "s/^/$mac /"
  done | awk '!told[$0]++' | json
}
report() {
  result='error' message=$(first '"errors"')
  [ "$message" ] || { result='degraded' message=$(first '"recoverable_errors": *\{ *"[A-Z]*"'); }
  [ "$message" ] || result='done'
  os=$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' /etc/os-release)
  known=$(cards)
  keys=$(cat /etc/ssh/ssh_host_*_key.pub | cut -d ' ' -f 1,2 | json)
  send "{\"bootId\":$boot,\"finishedAt\":$finished,\"result\":\"$result\",\"message\":$(text "$message"),\
\"hostname\":$(text "$(hostname)"),\"osName\":$(text "$os"),\"kernel\":$(text "$(uname -r)"),\
\"addresses\":[$(addresses | json)],\"cards\":[$known],\"sshHostKeys\":[$keys]}"
}

(
  export LC_ALL=C
  boot=$(json < /proc/sys/kernel/random/boot_id)
  send "{\"bootId\":$boot}"
  until [ -s /run/cloud-init/result.json ]; do sleep 1; done
  finished=$(date +%s)
  ip -o monitor address | {
    report
    while read -r _; do
      sleep 1 # until the other lines of the same change are there
      [ "$(cards)" = "$known" ] || report
    done
  }
) < /dev/null > /dev/null 2>&1 &
