# shellcheck shell=sh disable=SC2154,SC2034 # the variables of `run`
# One guest for all the tests that only look at it.
guest_boots_with_its_lease() { # test
  shared_vm
  console_shows "$vm" 'address=10.0.2.15/24'
  same 'name server' "$(docker exec "$vm" awk '/^nameserver/ {print $2; exit}' /etc/resolv.conf)" \
    "$(guest "$vm" "awk '/^nameserver/ {print \$2; exit}' /etc/resolv.conf")"
  same mtu "$(docker exec "$pod" cat /sys/class/net/eth0/mtu)" "$(guest "$vm" 'cat /sys/class/net/eth0/mtu')"
}
network_can_run_again() { # test
  shared_vm
  rules() { docker exec "$vm" nft list ruleset; docker exec "$vm" ip addr show; }
  rules > "$test/before"
  docker exec "$vm" env QEMU_OPERATOR_HOST_IP="$(address "$host")" /usr/lib/qemu-operator/network 52:54:00:12:34:56
  docker exec "$vm" env QEMU_OPERATOR_HOST_IP="$(address "$host")" /usr/lib/qemu-operator/network 52:54:00:12:34:56
  rules > "$test/after"
  diff "$test/before" "$test/after"
  has "$test/after" 'tcp dport { 10250, 10255 } drop'
}
network_gives_the_pods_ports_to_the_guest() { # test
  shared_vm
  docker exec "$node" busybox wget -q -O - "http://$(address "$pod")/" > "$test/page"
  has "$test/page" 'boots 1'
}
network_gives_local_connections_to_the_guest_for_port_forward() { # test
  shared_vm
  docker exec "$vm" wget -q -O - http://127.0.0.1/ > "$test/page"
  has "$test/page" 'boots 1'
}
network_keeps_qemus_ports() { # test
  shared_vm
  guest "$vm" 'echo guest > /tmp/guest.html; for port in 7000 7001 7002 7003 7004 4444 10809 7005; do
    nc -ll -p $port -e echo guest >/dev/null 2>&1 & done'
  within 10 'a listener in the guest' docker exec "$node" sh -c "nc -w 2 $(address "$pod") 7005 < /dev/null | grep guest"
  for port in 7000 7001 7002 7003 7004 4444 10809; do
    refused docker exec "$node" sh -c "nc -w 2 $(address "$pod") $port < /dev/null | grep guest"
  done
  docker exec "$node" nc -z -w 2 "$(address "$pod")" 7000
}
reaches() { # IP PORT: from the guest
  [ "$(guest "$vm" "TIMEOUT=1 get http://$1:$2/ 2>&1")" = here ]
}
guest_reaches_the_network() { # test
  shared_vm
  for neighbour in $node $host $other; do reaches "$(address "$neighbour")" 8080; done
}
guest_cannot_reach_the_kubelet() { # test
  shared_vm
  for port in 10250 10255; do
    refused reaches "$(address "$node")" $port
    refused reaches "$(address "$host")" $port
    reaches "$(address "$other")" $port              # nor is more closed than that
  done
}
guest_cannot_reach_the_pod() { # test
  shared_vm
  docker exec "$vm" nc -z -w 2 10.0.2.1 7000         # QEMU listens on every address
  opens "$(address "$other")" 8080
  for ip in 10.0.2.1 "$(address "$pod")"; do
    for port in 7000 7001; do refused opens "$ip" $port; done
  done
  # IPv6 would be a way around
  same 'IPv6 addresses of the tap' '' "$(docker exec "$vm" ip -6 -o addr show dev tap0)"
  refused docker exec "$vm" pidof radvd
}
guest_cannot_reach_the_pods_loopback() { # test
  shared_vm
  guest "$vm" 'ip route add 127.0.0.2/32 via 10.0.2.1 table local 2>/dev/null; echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet'
  docker exec "$vm" nc -z -w 2 127.0.0.2 7000
  refused opens 127.0.0.2 7000
}
guest_cannot_send_as_another() { # test
  shared_vm
  target=$(address "$other")
  guest "$vm" "ip addr add 192.0.2.7/32 dev lo; ip route add $target/32 via 10.0.2.1 src 192.0.2.7"
  takes_any_sender "$pod"
  echoes() { docker exec "$other" awk '/^Icmp: [0-9]/ {print $10}' /proc/net/snmp; }
  sent() { # how many packets arrive
    before=$(echoes)
    guest "$vm" "ping -c 2 -W 1 $target" > /dev/null || true
    echo $(($(echoes) - before))
  }
  same 'packets that arrive' 0 "$(sent)"
  docker exec "$pod" nft list table inet qemu-operator > "$test/rules"
  docker exec "$pod" nft delete table inet qemu-operator
  arrived=$(sent)
  docker exec -i "$pod" nft -f - < "$test/rules"
  guest "$vm" "ip route del $target/32"
  same 'packets that would arrive without the rules' 2 "$arrived"
}
qemu_has_no_rights() { # test
  shared_vm
  docker exec "$vm" cat "/proc/$(qemu_of "$vm")/status" > "$test/status"
  for line in 'Uid:	107	107	107	107' 'Gid:	107	107	107	107' 'CapEff:	0000000000000000' 'CapPrm:	0000000000000000' \
    'CapBnd:	0000000000000000' 'NoNewPrivs:	1' 'Seccomp:	2'; do
    has "$test/status" "$line"
  done
}
qemu_gets_only_accelerator_cpu_and_seed_added() { # test
  shared_vm
  docker exec "$vm" sh -c "tr '\\0' ' ' < /proc/$(qemu_of "$vm")/cmdline" > "$test/line"
  # shellcheck disable=SC2046,SC2086,SC2116 # echo makes one line of it
  same 'command line' "$(echo qemu-system-x86_64 -accel tcg,tb-size=48 -cpu max \
    $(machine '') $(disk_device root ,bootindex=1) $(disk_device data '') $nic $seed_blockdev \
    -device "virtio-blk-pci,id=disk-seed,drive=seed,serial=$(docker exec "$vm" cat /run/vm/wrapper/seed)") " "$(cat "$test/line")"
}
dhcp_server_has_few_rights() { # test
  shared_vm
  docker exec "$vm" sh -c 'cat /proc/$(cat /run/vm/dhcp/pid)/status' > "$test/status"
  has "$test/status" 'Uid:	108'
  has "$test/status" 'CapEff:	0000000000003400'
}
console_is_the_containers_terminal() { # test
  shared_vm
  python3 - "$vm" <<'P'
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp('docker', ['docker', 'attach', '--sig-proxy=false', '--detach-keys=ctrl-x', sys.argv[1]])
time.sleep(1)
os.write(terminal, b'echo answer $((40 + 2))\r')
seen, end = b'', time.time() + 10
while b'answer 42' not in seen and time.time() < end:
    if select.select([terminal], [], [], 1)[0]:
        seen += os.read(terminal, 4096)
os.write(terminal, b'\x18')
os.waitpid(pid, 0)
sys.exit(0 if b'answer 42' in seen else f'no answer: {seen}')
P
}
seed_serial_is_the_hash_of_what_was_mounted() { # test
  shared_vm
  # computed apart from the script: sha256sum's format by hand, in byte order of the names
  expected=$(python3 - <<'P'
import hashlib
files = {'meta-data': b'instance-id: first\n', 'user-data': b'#cloud-config\n'}
lines = ''.join(f'{hashlib.sha256(files[name]).hexdigest()}  {name}\n' for name in sorted(files))
print(hashlib.sha256(lines.encode()).hexdigest()[:20])
P
  )
  guest "$vm" 'cat /sys/block/*/serial' > "$test/serials"
  has "$test/serials" "$expected"
}
seed_does_not_follow_later_changes() { # test
  shared_vm
  printf 'instance-id: second\n' > "$all/shared/seed/meta-data"
  guest "$vm" 'mkdir -p /tmp/seed; mount -o ro "$(findfs LABEL=cidata)" /tmp/seed && cat /tmp/seed/meta-data /tmp/seed/user-data' > "$test/seed"
  printf 'instance-id: first\n' > "$all/shared/seed/meta-data"
  has "$test/seed" 'instance-id: first'
  has "$test/seed" '#cloud-config'
  same 'mode of the copy' '700 107 400 107' "$(docker exec "$vm" stat -c '%a %u' /run/vm/seed /run/vm/seed/user-data | tr '\n' ' ' | sed 's/ $//')"
}
data_disk_is_found_by_its_serial() { # test
  shared_vm
  same content hello "$(guest "$vm" 'echo hello | dd of="$(disk data)" conv=fsync 2>/dev/null; head -n 1 "$(disk data)"')"
}
guest_answers_with_output_and_exit_code() { # test
  shared_vm
  docker exec "$vm" wget -S -q -O - --post-data='echo out; echo err >&2; exit 3' http://10.0.2.15/cgi-bin/exec > "$test/answer" 2>&1
  has "$test/answer" out
  has "$test/answer" err
  has "$test/answer" 'Exit-Code: 3'
}
guest_page_has_boots_and_uptime() { # test
  shared_vm
  docker exec "$vm" wget -q -O - http://10.0.2.15/index.html > "$test/page"
  has "$test/page" 'boots 1'
  grep '^uptime [0-9.]*$' "$test/page"
}
# The script of the seed's vendor-data under busybox; what cloud-init would leave is laid out by hand.
guest_reports_the_end_of_cloud_init() { # test
  shared_vm
  cat > "$test/begin" <<'G'
mkdir -p /run/cloud-init /etc/ssh
echo 'ssh-ed25519 AAAA root@tiny' > /etc/ssh/ssh_host_ed25519_key.pub
echo 'PRETTY_NAME="Tiny \ 1"' > /etc/os-release
cat > /tmp/report <<'END'
G
  cat "$repository/src/main/resources/dev/qemuoperator/cloudinit/report.sh" >> "$test/begin"
  printf 'END\nsh /tmp/report\n' >> "$test/begin"
  cat > "$test/end" <<'G'
cd /run/cloud-init
cat > status.json <<'END'
{
 "v1": {
  "init": {
   "errors": [
    "it said \"no\""
   ]
  }
 }
}
END
echo '{}' > result.json
G
  written() { # TEXT: in what the guest has written so far
    { echo '{"execute": "qmp_capabilities"}'
      echo '{"execute": "ringbuf-read", "arguments": {"device": "report", "size": 65536}}'; sleep 1; } |
      docker exec -i "$vm" nc.openbsd -q 0 -U /run/vm/qmp.sock >> "$test/qmp"
    grep -F "$1" "$test/qmp"
  }
  guest "$vm" "$(cat "$test/begin")"
  within 20 'the line that a boot begins with' written '{"return": "{\"bootId\"'
  lacks "$test/qmp" result
  guest "$vm" "$(cat "$test/end")"
  within 20 'the report' written finishedAt
  python3 - "$test/qmp" <<'P'
import json, sys
answers = [json.loads(line).get('return') for line in open(sys.argv[1])]
report = json.loads([text for text in answers if isinstance(text, str) and 'finishedAt' in text][0])
assert len(report.pop('bootId')) == 36 and report.pop('finishedAt') > 1e9 and report.pop('kernel'), answers
assert '10.0.2.15' in report.pop('addresses'), answers # another test gives it a second one
assert '52:54:00:12:34:56 10.0.2.15' in report.pop('cards'), answers
assert report == {'result': 'error', 'message': 'it said "no"', 'hostname': 'tiny', 'osName': 'Tiny \\ 1',
                  'sshHostKeys': ['ssh-ed25519 AAAA']}, report
P
}
second_qemu_on_a_disk_in_use_says_so() { # test
  shared_vm
  directories "$test"
  with_base "$test"
  ln "$all/shared/disks/root/disk.qcow2" "$test/disks/root/"
  # shellcheck disable=SC2046 # words
  second=$(vm "$test" "$(pod)" -- --accelerator=TCG --disk=root:overlay:0 -- $(machine '') $(disk_device root ''))
  ended "$second" 70
  message "$test" > "$test/message"
  has "$test/message" '"reason":"DiskInUse"'
}
# the last of this file: it ends the guest
sigterm_is_the_power_button() { # test
  shared_vm
  began=$(date +%s)
  docker kill -s TERM "$vm"
  ended "$vm" 0
  rm "$all/shared/vm"
  [ $(($(date +%s) - began)) -le 10 ] || fail 'it took too long'
  console_shows "$vm" 'TINY-POWER-BUTTON pressed: switching off'
  message "$all/shared" > "$test/message"
  has "$test/message" '"event": "POWERDOWN"'
  has "$test/message" '"reason": "guest-shutdown"'
  lacks "$test/message" WRAPPER_FAILED
  stopped_by "$all/shared" PowerButton
  wrapper_said "$all/shared" '"TCG"' '"TERM"' 0
}
