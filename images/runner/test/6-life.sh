# shellcheck shell=sh disable=SC2154,SC2046,SC2086 # the variables of `run`; words
# Guests that end, each in its own way.
small_vm() { # a guest with a network, of the test's own; sets $vm
  directories "$test"
  with_base "$test"
  pod=$(pod)
  small_vm_again
}
small_vm_again() { # in the same pod
  vm=$(vm "$test" "$pod" -- --accelerator=TCG --cpu=host --disk=root:overlay:67108864 --nat=52:54:00:12:34:56 --grace-seconds="${grace:-30}" -- \
    $(machine '') $(disk_device root ,bootindex=1) $nic)
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
  milliseconds=$((($(date +%s%N) - began) / 1000000))
  { [ $milliseconds -ge 8500 ] && [ $milliseconds -lt 10000 ]; } || fail "it took $milliseconds ms of 10000"
  same 'times the button was pressed' 2 "$(docker logs "$vm" | grep -c 'TINY-POWER-BUTTON pressed: ignored')"
  message "$test" > "$test/message"
  has "$test/message" '"reason": "host-qmp-quit"'
  wrapper_said "$test" '"TCG"' '"TERM"' 0
}
sigterm_works_while_another_holds_the_monitor() { # test
  grace=4
  small_vm
  ready "$vm"
  docker exec -d "$vm" nc.openbsd -U /run/vm/qmp.sock
  sleep 1
  docker kill -s TERM "$vm"
  ended "$vm" 0
  message "$test" > "$test/message"
  has "$test/message" '"reason": "host-signal"'
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
  # in QEMU's place a program that leaves a long event log, an unfinished line and a flood on stderr
  mkdir -p "$test/bin"
  cat > "$test/bin/qemu-system-x86_64" <<'Q'
#!/bin/sh
i=0
while [ $i -lt 200 ]; do
  i=$((i + 1))
  printf '{"timestamp": {"seconds": %s, "microseconds": 1}, "event": "RTC_CHANGE", "data": {"offset": %s}}\r\n' $i $i
done >> /run/vm/events.jsonl
printf '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "da' >> /run/vm/events.jsonl
i=0
while [ $i -lt 100 ]; do
  i=$((i + 1))
  printf 'line %s "quoted" \\ back\tand \303\244\033[1m\n' $i >&2
done
printf 'the very end' >&2
kill -9 $$
Q
  chmod 755 "$test/bin/qemu-system-x86_64"
  directories "$test"
  vm=$(start -i $(volumes "$test") -v "$test/bin/qemu-system-x86_64:/usr/bin/qemu-system-x86_64:ro" "$runner" --accelerator=TCG -- none)
  ended "$vm" 137
  message "$test" > "$test/message"
  has "$test/message" '"seconds": 200,'
  lacks "$test/message" SHUTDOWN
  has "$test/message" 'the very end'
  wrapper_said "$test" '"TCG"' null 137
}
link_in_place_of_the_event_log_is_not_read() { # test
  mkdir -p "$test/bin"
  echo '{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "SECRET"}' > "$test/secret"
  chmod 600 "$test/secret"
  printf '#!/bin/sh\nrm /run/vm/events.jsonl\nln -s /secret /run/vm/events.jsonl\n' > "$test/bin/qemu-system-x86_64"
  chmod 755 "$test/bin/qemu-system-x86_64"
  directories "$test"
  vm=$(start -i $(volumes "$test") -v "$test/secret:/secret:ro" -v "$test/bin/qemu-system-x86_64:/usr/bin/qemu-system-x86_64:ro" \
    "$runner" --accelerator=TCG -- none)
  ended "$vm" 0
  [ -L "$test/run/events.jsonl" ] || fail 'no link was made'
  message "$test" > "$test/message"
  lacks "$test/message" SECRET
  wrapper_said "$test" '"TCG"' null 0
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
