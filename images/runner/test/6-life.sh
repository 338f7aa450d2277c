# shellcheck shell=sh disable=SC2154,SC2046,SC2086 # the variables of `run`; words
# Guests that end, each in its own way.
small_vm() { # FURTHER-QEMU-ARGUMENTS: a guest with a network, of the test's own; sets $vm
  directories "$test"
  with_base "$test"
  pod=$(pod)
  small_vm_again "$@"
}
small_vm_again() { # FURTHER-QEMU-ARGUMENTS: in the same pod
  vm=$(vm "$test" "$pod" -- --accelerator=TCG --cpu=host --disk=root:overlay:67108864 --nat=52:54:00:12:34:56 --grace-seconds="${grace:-30}" -- \
    $(machine '') $(disk_device root ,bootindex=1) $nic "$@")
}
# a machine without a disk: its firmware looks for one and waits
bare='-nodefaults -no-user-config -machine pc-q35-10.0 -m 64M -display none -action reboot=reset,shutdown=poweroff
  -qmp unix:/run/vm/qmp.sock,server=on,wait=off
  -chardev file,id=events,path=/run/vm/events.jsonl,append=on,input-path=/run/vm/qmp-init.json -mon chardev=events,mode=control'
monitor() { # VM [COMMAND]: it answers; runs COMMAND
  docker exec "$1" sh -c "{ echo '{\"execute\":\"qmp_capabilities\"} ${2:-}'; sleep 1; } | timeout 2 nc.openbsd -N -U /run/vm/qmp.sock | grep return"
}
instead_of_qemu() { # TEXT DOCKER-OPTIONS: a script in QEMU's place
  text=$1
  shift
  mkdir -p "$test/bin"
  printf '#!/bin/sh\n%s\n' "$text" > "$test/bin/qemu-system-x86_64"
  chmod 755 "$test/bin/qemu-system-x86_64"
  directories "$test"
  vm=$(start -i $(volumes "$test") -v "$test/bin/qemu-system-x86_64:/usr/bin/qemu-system-x86_64:ro" "$@" \
    "$runner" --accelerator=TCG --grace-seconds="${grace:-5}" -- none)
}
bare_vm() { # WRAPPER-OPTIONS -- QEMU-ARGUMENTS, on no network, without privileges unless they are needed
  directories "$test"
  vm=$(start -i $(volumes "$test") "$runner" "$@")
}

sigterm_before_qemu_runs_ends_the_pod_at_once() { # test
  directories "$test"
  printf '#!/bin/sh\nexec sleep 1000\n' > "$test/slow"   # a step that takes long
  chmod 755 "$test/slow"
  vm=$(start -i $(volumes "$test") -v "$test/slow:/usr/lib/qemu-operator/disk" "$runner" --accelerator=TCG --disk=root:overlay:0 --grace-seconds=30 -- -nodefaults)
  within 10 'the wrapper at its disks' docker exec "$vm" pidof sleep
  began=$(date +%s)
  docker kill -s TERM "$vm"
  ended "$vm" 0
  [ $(($(date +%s) - began)) -le 2 ] || fail 'it took too long'
  wrapper_said "$test" '"TCG"' '"TERM"' 0
}
sigterm_to_a_guest_that_ignores_the_button_quits_before_the_end_of_grace() { # test
  grace=10
  small_vm
  ready "$vm"
  guest "$vm" 'touch /tmp/ignore-power-button'
  began=$(date +%s%N)
  docker kill -s TERM "$vm"
  ended "$vm" 0
  lasted 7500 10000 "$began"
  same 'times the button was pressed' 2 "$(docker logs "$vm" | grep -c 'TINY-POWER-BUTTON pressed: ignored')"
  message "$test" > "$test/message"
  has "$test/message" '"reason": "host-qmp-quit"'
  stopped_by "$test" 'PowerButton PowerButtonAgain Quit'
  wrapper_said "$test" '"TCG"' '"TERM"' 0
}
sigterm_works_while_another_holds_the_monitor() { # test
  bare_vm --accelerator=TCG --grace-seconds=5 -- $bare
  within 30 'a monitor' monitor "$vm"
  docker exec -d "$vm" nc.openbsd -U /run/vm/qmp.sock
  sleep 1
  began=$(date +%s%N)
  docker kill -s TERM "$vm"
  ended "$vm" 0
  lasted 3000 5000 "$began"
  message "$test" > "$test/message"
  has "$test/message" '"reason": "host-signal"'
  stopped_by "$test" 'PowerButton PowerButtonAgain Quit Kill'
}
sigterm_kills_a_qemu_that_hangs_and_says_so_before_the_end_of_grace() { # test
  bare_vm --accelerator=TCG --grace-seconds=5 -- $bare
  within 30 'a monitor' monitor "$vm"
  docker exec "$vm" sh -c "kill -STOP $(qemu_of "$vm")"
  began=$(date +%s%N)
  docker kill -s TERM "$vm"
  ended "$vm" 137
  lasted 3500 5000 "$began"
  stopped_by "$test" 'PowerButton PowerButtonAgain Quit Kill'
  wrapper_said "$test" '"TCG"' '"TERM"' 137
}
sigterm_kills_a_qemu_that_never_opens_its_monitor() { # test
  # its child outlives it and holds its stderr
  instead_of_qemu 'trap "" TERM
echo "its words" >&2
sleep 100'
  within 30 'QEMU' docker exec "$vm" test -e /run/vm/started
  sleep 1
  began=$(date +%s%N)
  docker kill -s TERM "$vm"
  ended "$vm" 137
  lasted 3500 5000 "$began"
  stopped_by "$test" 'PowerButton PowerButtonAgain Quit Kill'
  has "$test/termination" '{"event":"QEMU_STDERR","data":{"text":"its words"}}'
  wrapper_said "$test" '"TCG"' '"TERM"' 137
}
sigterm_before_the_monitor_is_there_still_presses_the_button() { # test
  instead_of_qemu 'sleep 2
exec nc.openbsd -lU /run/vm/qmp.sock > /run/vm/told'
  within 30 'QEMU' docker exec "$vm" test -e /run/vm/started
  docker kill -s TERM "$vm"
  ended "$vm" 143
  has "$test/run/told" '{"execute":"system_powerdown"}'
  stopped_by "$test" 'PowerButton PowerButtonAgain Quit Kill'
}
stop_ladder_fits_into_every_grace_period() { # test
  # each `sleep` of it is written down instead of being slept; this one comes first in the PATH
  printf '#!/bin/sh\necho "$1" >> /run/vm/slept\nexec busybox sleep 0.1\n' > "$test/sleep"
  chmod 755 "$test/sleep"
  whole=$test
  for grace in 5 6 10 30 60 120 86400; do
    test=$whole/$grace
    instead_of_qemu 'trap "" TERM
while :; do busybox sleep 1; done' -v "$whole/sleep:/usr/sbin/sleep:ro"
    within 30 'QEMU' docker exec "$vm" test -e /run/vm/started
    docker kill -s TERM "$vm"
    ended "$vm" 137
    # what `nc` waits between its attempts is no part of it
    grep -vx 0.1 "$test/run/slept" | tr '\n' ' ' > "$test/slept"
    awk -v grace=$grace '{sum = $1 + $2 + $3 + $4; good = sum == grace - 1 && $1 == int(grace / 2) && $3 > 0 && $4 > 0} END {exit !good}' "$test/slept" ||
      fail "of $grace s: $(cat "$test/slept")"
  done
}
ended_for() { # CODE REASON: an end that nobody asked this pod for
  ended "$vm" "$1"
  message "$test" > "$test/message"
  has "$test/message" "\"reason\": \"$2\""
  stopped_by "$test" ''
  wrapper_said "$test" '"TCG"' null "$1"
}
qemu_that_another_told_to_quit_is_a_failure() { # test
  bare_vm --accelerator=TCG -- $bare
  within 30 'a monitor' monitor "$vm"
  monitor "$vm" '{"execute":"quit"}' || true
  ended_for 1 host-qmp-quit
}
qemu_that_another_signalled_is_a_failure() { # test
  bare_vm --accelerator=TCG -- $bare
  within 30 'a monitor' monitor "$vm"
  docker exec "$vm" sh -c "kill $(qemu_of "$vm")"
  ended_for 1 host-signal
}
reset_that_ends_qemu_is_a_failure() { # test
  bare_vm --accelerator=TCG -- $bare -action reboot=shutdown
  within 30 'a monitor' monitor "$vm"
  monitor "$vm" '{"execute":"system_reset"}' || true
  ended_for 1 host-qmp-system-reset
}
guest_whose_reboot_ends_qemu_is_a_failure() { # test
  small_vm -action reboot=shutdown
  ready "$vm"
  guest "$vm" 'umount /disk; reboot -f' || true
  ended_for 1 guest-reset
}
watchdog='-device i6300esb,id=watchdog,bus=pcie.0,addr=0x1e'
arm_watchdog() { # VM: without a driver. 1 MHz, then on: two rounds of about a second, and nobody feeds it
  guest "$1" 'for card in /sys/bus/pci/devices/*; do
      [ "$(cat "$card/vendor" "$card/device" | tr "\n" " ")" = "0x8086 0x25ab " ] || continue
      printf "\004\000" | dd of="$card/config" bs=2 seek=$((0x60 / 2)) conv=notrunc
      printf "\002" | dd of="$card/config" bs=1 seek=$((0x68)) conv=notrunc
      echo armed
    done' | grep armed
}
watchdog_that_powers_off_ends_qemu_as_a_failure() { # test
  small_vm $watchdog -action watchdog=poweroff
  ready "$vm"
  arm_watchdog "$vm"
  # QEMU just exits with 0 and says no SHUTDOWN
  ended "$vm" 1
  message "$test" > "$test/message"
  has "$test/message" '"event": "WATCHDOG", "data": {"action": "poweroff"}'
  lacks "$test/message" SHUTDOWN
  wrapper_said "$test" '"TCG"' null 1
}
watchdog_that_resets_keeps_qemu() { # test
  small_vm $watchdog
  ready "$vm"
  before=$(qemu_of "$vm")
  arm_watchdog "$vm"
  within 120 'the second boot' console_shows "$vm" 'TINY-READY boots=2'
  docker exec "$vm" grep -q '"event": "WATCHDOG"' /run/vm/events.jsonl
  same QEMU "$before" "$(qemu_of "$vm")"
}
killed_qemu_starts_again_in_the_same_pod() { # test
  small_vm
  ready "$vm"
  docker exec "$vm" sh -c "kill -9 $(qemu_of "$vm")"
  ended "$vm" 137
  wrapper_said "$test" '"TCG"' null 137
  small_vm_again
  ready "$vm"
  same 'boot counter' 'boots 2' "$(docker exec "$vm" wget -q -O - http://10.0.2.15/ | head -n 1)"
  same 'lines of the new event log that are events' 0 "$(docker exec "$vm" grep -c SHUTDOWN /run/vm/events.jsonl || true)"
  # the guest goes by itself: not a stop that was asked for
  guest "$vm" 'umount /disk; poweroff -f' || true
  ended "$vm" 0
  message "$test" > "$test/message"
  has "$test/message" '"reason": "guest-shutdown"'
  wrapper_said "$test" '"TCG"' null 0
}
sectors() { guest "$1" 'cat /sys/block/$(basename "$(disk root)")/size'; } # VM: of its disk, as the guest sees it
disk_that_grew_while_the_guest_ran_starts_again_in_the_same_pod() { # test
  small_vm
  ready "$vm"
  same 'sectors' 131072 "$(sectors "$vm")"
  monitor "$vm" '{"execute":"block_resize","arguments":{"node-name":"root","size":134217728}}'
  same 'sectors of the grown disk' 262144 "$(sectors "$vm")"
  guest "$vm" 'echo kept | dd of=/disk/before conv=fsync'
  docker exec "$vm" sh -c "kill -9 $(qemu_of "$vm")"
  ended "$vm" 137
  small_vm_again
  ready "$vm"
  same 'sectors after the restart' 262144 "$(sectors "$vm")"
  same 'file' kept "$(guest "$vm" 'cat /disk/before')"
}
disk_of_an_earlier_pod_does_not_shrink_however_often_it_is_tried() { # test
  directories "$test"
  docker run --rm $(volumes "$test") --entrypoint sh "$runner" -c 'qemu-img create -q -f qcow2 /disks/data/disk.qcow2 2M; chown 107 /disks/data/disk.qcow2'
  for _ in first second; do
    vm=$(start -i $(volumes "$test") "$runner" --accelerator=TCG --disk=data:blank:1048576 -- -nodefaults)
    ended "$vm" 70
    gave_up "$test" DiskShrink data
  done
}
grown_disk_is_kept_after_a_start_that_failed_before_qemu_ran() { # test
  bare_vm --accelerator=TCG --disk=data:blank:1048576 -- $bare
  within 30 'a monitor' monitor "$vm"
  monitor "$vm" '{"execute":"quit"}' || true
  ended "$vm" 1
  docker run --rm $(volumes "$test") --entrypoint qemu-img "$runner" resize -q /disks/data/disk.qcow2 2M
  for accelerator in KVM TCG; do
    vm=$(start -i $(volumes "$test") "$runner" --accelerator=$accelerator --disk=data:blank:1048576 -- -no-such-option)
    case $accelerator in KVM) ended "$vm" 70;; TCG) ended "$vm" 1;; esac
  done
}
reboot_keeps_qemu() { # test
  small_vm
  ready "$vm"
  guest "$vm" 'umount /disk; reboot -f' || true
  within 120 'the second boot' console_shows "$vm" 'TINY-READY boots=2'
  docker exec "$vm" grep -q '"event": "RESET"' /run/vm/events.jsonl
}
panic_ends_qemu_with_code_1() { # test
  small_vm
  ready "$vm"
  guest "$vm" 'echo c > /proc/sysrq-trigger' || true
  ended "$vm" 1
  message "$test" > "$test/message"
  has "$test/message" '"event": "GUEST_PANICKED"'
  wrapper_said "$test" '"TCG"' null 1
}
uefi_boots() { # test
  directories "$test"
  with_base "$test"
  vm=$(vm "$test" "$(pod)" -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --uefi=root --nat=52:54:00:12:34:56 -- \
    $(machine ,pflash0=code,pflash1=vars 160M) $firmware $(disk_device root ,bootindex=1) $nic)
  ready "$vm"
  same 'firmware in the guest' uefi "$(guest "$vm" '[ -d /sys/firmware/efi ] && echo uefi')"
  [ -s "$test/disks/root/uefi-vars.qcow2" ] || fail 'no variables on the disk'"'"'s volume'
}
kvm_that_cannot_be_used_is_refused() { # test
  bare_vm --accelerator=KVM -- -nodefaults
  ended "$vm" 70
  gave_up "$test" KVMUnavailable ''
  wrapper_said "$test" null null 70
}
auto_without_kvm_is_tcg() { # test
  bare_vm --accelerator=Auto --cpu=host,-svm -- -nodefaults -no-such-option
  ended "$vm" 1
  wrapper_said "$test" '"TCG"' null 1
}
qemus_last_words_are_in_the_termination_message() { # test
  bare_vm --accelerator=TCG -- -nodefaults -device 'no-such"device'
  ended "$vm" 1
  message "$test" > "$test/message"
  has "$test/message" '"event":"QEMU_STDERR"'
  has "$test/message" 'no-such\"device'
  docker logs "$vm" 2>&1 | grep -F 'no-such"device'
}
base_that_is_missing_is_said() { # test
  bare_vm --accelerator=TCG --disk=root:overlay:0 -- -nodefaults
  ended "$vm" 70
  gave_up "$test" BaseImageMissing root
  wrapper_said "$test" '"TCG"' null 70
}
unknown_option_is_said() { # test
  bare_vm --no-such-option -- -nodefaults
  ended "$vm" 70
  gave_up "$test" WrapperFailed ''
}
termination_message_is_whole_lines_whatever_happened() { # test
  # in QEMU's place a program that leaves a long event log, an unfinished line and a flood on stderr, and has to be killed
  instead_of_qemu 'i=0
while [ $i -lt 1000 ]; do
  i=$((i + 1))
  printf "{\"timestamp\": {\"seconds\": %s, \"microseconds\": 1}, \"event\": \"RTC_CHANGE\", \"data\": {\"offset\": %s}}\r\n" $i $i
done >> /run/vm/events.jsonl
printf "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"SHUTDOWN\", \"da" >> /run/vm/events.jsonl
i=0
while [ $i -lt 100 ]; do
  i=$((i + 1))
  printf "line %s \"quoted\" \\\\ back\tand \303\244\033[1m\n" $i >&2
done
printf "the very end" >&2
trap "" TERM
touch /run/vm/done
exec sleep 100'
  within 30 'its end' docker exec "$vm" test -e /run/vm/done
  docker kill -s TERM "$vm"
  ended "$vm" 137
  message "$test" > "$test/message"
  has "$test/message" '"seconds": 1000,'
  lacks "$test/message" SHUTDOWN
  has "$test/message" 'the very end'
  stopped_by "$test" 'PowerButton PowerButtonAgain Quit Kill'
  wrapper_said "$test" '"TCG"' '"TERM"' 137
}
link_in_place_of_the_event_log_is_not_read() { # test
  mkdir -p "$test"
  echo '{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}' > "$test/secret"
  chmod 600 "$test/secret"
  instead_of_qemu 'rm /run/vm/events.jsonl; ln -s /secret /run/vm/events.jsonl' -v "$test/secret:/secret:ro"
  ended "$vm" 1
  [ -L "$test/run/events.jsonl" ] || fail 'no link was made'
  message "$test" > "$test/message"
  lacks "$test/message" SHUTDOWN
  wrapper_said "$test" '"TCG"' null 1
}
what_an_earlier_qemu_planted_is_not_followed() { # test
  # /run/vm belonged to the earlier QEMU; root must not write through its links
  directories "$test"
  echo mine > "$test/victim"
  for file in qmp-init.json started seed wrapper events.jsonl dhcp; do ln -s /victim "$test/run/$file"; done
  vm=$(start -i $(volumes "$test") -v "$test/victim:/victim" "$runner" --accelerator=TCG -- -no-such-option)
  ended "$vm" 1
  same 'file behind the links' mine "$(cat "$test/victim")"
}
