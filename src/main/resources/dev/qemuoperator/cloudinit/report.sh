#!/bin/sh
# Runs early in every boot and leaves a process behind that writes two lines of JSON to a virtio-serial port: at once the
# boot's id, which says that an earlier boot's report is over; after the end of cloud-init, the report.
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
report() {
  result='error' message=$(first '"errors"')
  [ "$message" ] || { result='degraded' message=$(first '"recoverable_errors": *\{ *"[A-Z]*"'); }
  [ "$message" ] || result='done'
  os=$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' /etc/os-release)
  addresses=$(ip -o addr show scope global | awk '{print $4}' | cut -d / -f 1 | json)
  keys=$(cat /etc/ssh/ssh_host_*_key.pub | cut -d ' ' -f 1,2 | json)
  send "{\"bootId\":$boot,\"finishedAt\":$(date +%s),\"result\":\"$result\",\"message\":$(text "$message"),\
\"hostname\":$(text "$(hostname)"),\"osName\":$(text "$os"),\"kernel\":$(text "$(uname -r)"),\
\"addresses\":[$addresses],\"sshHostKeys\":[$keys]}"
}

(
  export LC_ALL=C
  boot=$(json < /proc/sys/kernel/random/boot_id)
  send "{\"bootId\":$boot}"
  until [ -s /run/cloud-init/result.json ]; do sleep 1; done
  report
) < /dev/null > /dev/null 2>&1 &
