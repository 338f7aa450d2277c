# shellcheck shell=sh disable=SC2154,SC2034,SC2046,SC2086 # the variables of `run`; words
# Guests on a LAN. A container plays the node, others the LAN's hosts, at ports of the node's bridge br0.
lan_nic='-netdev tap,id=lan,ifname=tap1,script=no,downscript=no -device virtio-net-pci,id=nic-lan,netdev=lan,mac=52:54:00:77:00:50,romfile='
home=name=home,tap=tap1,bridge=br0
shared_lan() { # one guest, first on the LAN, second on the pod network, for the tests that change nothing: sets $vm, $pod, $node, $host, $friend
  lan=$all/lan
  if [ ! -e "$lan/vm" ]; then
    directories "$lan"
    with_base "$lan"
    lan_node
    echo "$node" > "$lan/node"
    lan_host 192.168.86.1/24 fd00:86::1/64 > "$lan/host"
    start --entrypoint sleep "$runner" infinity > "$lan/friend"
    pod > "$lan/pod"
    vm "$lan" "$(cat "$lan/pod")" $(as_node) -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --grace-seconds=30 \
      --bridge=$home,mtu=1400,address=192.168.86.53,address=fd00:86::53 --nat=52:54:00:12:34:56 --nat-secondary -- \
      $(machine '') $(disk_device root ,bootindex=1) $lan_nic $nic > "$lan/vm"
    ready "$(cat "$lan/vm")"
    guest "$(cat "$lan/vm")" 'ip addr add 192.168.86.53/24 dev eth0; ip addr add fd00:86::53/64 dev eth0; ip route add default via 192.168.86.1'
  fi
  vm=$(cat "$lan/vm") pod=$(cat "$lan/pod") node=$(cat "$lan/node") host=$(cat "$lan/host") friend=$(cat "$lan/friend")
}
pings() { docker exec "$1" ping -c 2 -W 2 "$2"; } # CONTAINER ADDRESS
tell_seen='{"execute":"qmp_capabilities"} {"execute":"qom-get","arguments":{"path":"/objects/seen-addresses","property":"identity"}}'
seen_by_the_pod() { # VM: the addresses that are left with QEMU, without the card's MAC
  docker exec "$1" sh -c "{ echo '$tell_seen'; sleep 0.5; } | timeout 2 nc.openbsd -q 0 -U /run/vm/qmp.sock" |
    sed -n 's/^{"return": "\(.*\)"}.*/seen: \1/p' | sed 's/52:54:00:77:00:50 //g'
}
are_seen() { # VM ADDRESSES; the monitor takes one client, so the pod is given its turn
  sleep 2
  [ "$(seen_by_the_pod "$1")" = "seen: $2" ]
}
bridge() { # [-e SETTING] NETWORK...: the script alone, in $pod on $node, its failure in $test/termination
  : > "$test/termination"
  options=
  while [ "${1#-}" != "$1" ]; do options="$options $1 $2"; shift 2; done
  docker run --rm $privileged $(as_node) $options --network "container:$pod" -v "$test/termination:/dev/termination-log" \
    --entrypoint /usr/lib/qemu-operator/bridge "$runner" "$@"
}
told() { # REASON TEXT: the last refusal, of the network home
  message "$test" | python3 -c 'import json, sys
data = json.load(sys.stdin)["data"]
assert (data["reason"], data["network"], data["disk"]) == (sys.argv[1], "home", ""), data
assert sys.argv[2] in data["message"], data' "$@"
}
small_lan() { # a node, and a pod without a guest
  lan_node
  pod=$(pod)
}

lan_reaches_the_guest_by_its_address_and_mac() { # test
  shared_lan
  pings "$host" 192.168.86.53
  pings "$host" fd00:86::53
  docker exec "$host" ip neigh show dev eth1 > "$test/neighbours"
  for address in 192.168.86.53 fd00:86::53; do has "$test/neighbours" "$address lladdr 52:54:00:77:00:50"; done
}
addresses_that_the_guest_uses_on_the_lan_are_left_with_qemu() { # test
  shared_lan
  pings "$host" 192.168.86.53
  pings "$host" fd00:86::53
  within 15 'both addresses' are_seen "$vm" 192.168.86.53,fd00:86::53
}
guest_reaches_the_lan_and_the_node_does() { # test
  shared_lan
  [ "$(guest "$vm" 'ping -c 2 -W 2 192.168.86.1 > /dev/null && ping -c 2 -W 2 fd00:86::1 > /dev/null && echo both')" = both ]
  docker exec "$node" ip addr add 192.168.86.2/24 dev br0
  pings "$node" 192.168.86.53
  docker exec "$node" ip addr del 192.168.86.2/24 dev br0
}
pod_network_beside_a_lan_gives_no_default_route_and_no_names() { # test
  shared_lan
  same 'default routes' 'default via 192.168.86.1 dev eth0' "$(guest "$vm" 'ip route | grep ^default' | sed 's/ *$//')"
  same 'address on the pod network' 'inet 10.0.2.15/24' "$(guest "$vm" "ip -4 -o addr show eth1 | grep -o 'inet [^ ]*'")"
  same 'name servers' '' "$(guest "$vm" 'cat /etc/resolv.conf 2>/dev/null' || true)"
}
pod_network_beside_a_lan_is_answered_by_the_way_it_came() { # test
  shared_lan
  docker exec "$friend" wget -q -O - --tries=1 --timeout=5 --post-data='echo $REMOTE_ADDR' "http://$(address "$pod")/cgi-bin/exec" > "$test/sender"
  same 'who connected, to the guest' '[::ffff:10.0.2.1]' "$(cat "$test/sender")"
}
rules_of_nat_and_lan_leave_each_other_alone() { # test
  shared_lan
  rules() { for table in 'ip qemu-operator-nat' 'inet qemu-operator' 'inet qemu-operator-bridge'; do docker exec "$vm" nft list table $table; done; }
  rules > "$test/before"
  has "$test/before" 'table ip qemu-operator-nat'
  has "$test/before" 'table inet qemu-operator-bridge'
  docker exec "$vm" /usr/lib/qemu-operator/network 52:54:00:12:34:56 secondary
  rules > "$test/after"
  diff "$test/before" "$test/after"
}
nothing_of_the_node_is_mounted_beside_qemu() { # test
  shared_lan
  lacks_proc() { ! docker exec "$vm" grep " /host/" "/proc/$1/mounts"; }
  lacks_proc 1
  lacks_proc "$(qemu_of "$vm")"
  same 'in /host/proc' '' "$(docker exec "$vm" ls /host/proc)"
}
pod_has_no_address_on_the_lan() { # test
  shared_lan
  for link in lan1 brlan1 tap1; do same "addresses of $link" '' "$(docker exec "$pod" ip -o addr show dev $link)"; done
}
lan_asks_in_vain_for_the_pods_addresses() { # test
  shared_lan
  ask() { docker exec "$host" arping -f -w 2 -I eth1 "$1"; }
  answers() { docker exec "$pod" sh -c "echo $1 > /proc/sys/net/ipv4/conf/brlan1/arp_ignore"; }
  takes_any_sender "$pod"
  for address in 10.0.2.1 "$(address "$pod")"; do
    refused ask "$address"
    answers 0                                         # as any other Linux
    ask "$address"
    answers 8
  done
  ask 192.168.86.53
}
lan_does_not_get_into_the_pod() { # test
  shared_lan
  inner=$(docker exec "$pod" cat /sys/class/net/brlan1/address)
  sent() { # to the pod's MAC; what arrived is written down by a listener
    docker exec "$pod" sh -c 'rm -f /tmp/heard; timeout 3 nc.openbsd -u -l 9999 > /tmp/heard & sleep 0.5'
    for target in 10.0.2.1 "$(address "$pod")"; do
      docker exec "$host" ip route replace "$target" dev eth1
      docker exec "$host" ip neigh replace "$target" lladdr "$inner" dev eth1
      docker exec "$host" sh -c "echo from the LAN | nc.openbsd -u -w 1 $target 9999" || true
    done
    docker exec "$pod" cat /tmp/heard
  }
  takes_any_sender "$pod"
  same 'what arrives' '' "$(sent)"
  for port in 7000 7001; do refused docker exec "$host" nc.openbsd -z -w 1 "$(address "$pod")" $port; done
  docker exec "$pod" nft list table inet qemu-operator-bridge > "$test/rules"
  docker exec "$pod" nft delete table inet qemu-operator-bridge
  heard=$(sent)
  docker exec -i "$pod" nft -f - < "$test/rules"
  same 'what would arrive without the rules' 'from the LAN' "$heard"
}
lan_does_not_get_through_the_pod() { # test
  shared_lan
  inner=$(docker exec "$pod" cat /sys/class/net/brlan1/address) target=$(address "$friend")
  same ip_forward 1 "$(docker exec "$pod" cat /proc/sys/net/ipv4/ip_forward)"
  docker exec "$host" ip route replace "$target" dev eth1
  docker exec "$host" ip neigh replace "$target" lladdr "$inner" dev eth1
  sent() {
    docker exec "$friend" sh -c 'rm -f /tmp/heard; timeout 3 nc.openbsd -u -l 9999 > /tmp/heard & sleep 0.5'
    docker exec "$host" sh -c "echo from the LAN | nc.openbsd -u -w 1 $target 9999" || true
    docker exec "$friend" cat /tmp/heard
  }
  takes_any_sender "$pod"
  same 'what arrives' '' "$(sent)"
  docker exec "$pod" nft list table inet qemu-operator-bridge > "$test/rules"
  docker exec "$pod" nft delete table inet qemu-operator-bridge
  heard=$(sent)
  docker exec -i "$pod" nft -f - < "$test/rules"
  same 'what would arrive without the rules' 'from the LAN' "$heard"
}
bridge_of_the_node_stays_as_it_is() { # test
  shared_lan
  same 'MAC of br0' 02:00:00:00:00:01 "$(docker exec "$node" cat /sys/class/net/br0/address)"
  same 'MTU of br0' 1500 "$(docker exec "$node" cat /sys/class/net/br0/mtu)"
  docker exec "$node" ip -o link show dev qvm0 > "$test/link"
  has "$test/link" ' link/ether fe:'
  has "$test/link" "alias pod $(docker inspect -f '{{.Config.Hostname}}' "$pod"), network home"
  has "$test/link" 'mtu 1500'
  same 'addresses of the port' '' "$(docker exec "$node" ip -o addr show dev qvm0)"
}
mtu_is_the_networks_on_the_pods_side() { # test
  shared_lan
  for link in tap1 brlan1; do same "MTU of $link" 1400 "$(docker exec "$pod" cat /sys/class/net/$link/mtu)"; done
  same 'MTU of the veth' 1500 "$(docker exec "$pod" cat /sys/class/net/lan1/mtu)"
}
bridged_frames_are_not_the_pods_to_filter() { # test
  shared_lan
  for call in iptables ip6tables arptables; do
    setting=/proc/sys/net/bridge/bridge-nf-call-$call
    same $call 0 "$(docker exec "$pod" sh -c "cat $setting 2>/dev/null || echo 0")"
  done
}

guest_on_the_lan_alone_comes_back_in_the_same_pod_and_leaves_nothing() { # test
  lan_node
  host=$(lan_host 192.168.86.1/24)
  of_node > "$test/before"
  directories "$test"
  with_base "$test"
  pod=$(pod)
  vm=$(vm "$test" "$pod" $(as_node) -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --grace-seconds=30 \
    --bridge=$home,address=192.168.86.53 -- $(machine '') $(disk_device root ,bootindex=1) $lan_nic)
  types() { docker exec "$vm" sh -c "echo '$1' > /proc/1/fd/0"; }   # at its console: no network leads to it yet
  configured() {
    types 'ip addr add 192.168.86.53/24 dev eth0'
    within 10 'an answer on the LAN' pings "$host" 192.168.86.53
  }
  ready "$vm"
  docker exec -d "$vm" sh -c 'sleep 8 | nc.openbsd -q 0 -U /run/vm/qmp.sock'   # somebody else is at the monitor
  configured
  within 20 'the address, seen' are_seen "$vm" 192.168.86.53
  docker exec "$vm" sh -c "kill -9 $(qemu_of "$vm")"
  ended "$vm" 137
  docker start "$vm"
  within 60 'a second boot' console_shows "$vm" 'TINY-READY boots=2'
  same 'what was seen of this boot' 'seen: ' "$(seen_by_the_pod "$vm")"
  configured
  within 15 'the address, seen again' are_seen "$vm" 192.168.86.53
  types 'ip addr del 192.168.86.53/24 dev eth0'
  sleep 1
  docker exec "$vm" nft flush set netdev qemu-operator-observe ipv4        # as if an hour had passed
  sleep 5
  same 'what a guest has that has said nothing since' 'seen: 192.168.86.53' "$(seen_by_the_pod "$vm")"
  types 'ip addr add 192.168.86.54/24 dev eth0; ip neigh flush dev eth0; ping -c 1 192.168.86.1'
  within 15 'the other address alone' are_seen "$vm" 192.168.86.54
  types 'ip link set eth0 down; ip link set eth0 address 52:54:00:77:00:99; ip link set eth0 up; ip addr add 192.168.86.55/24 dev eth0'
  types 'ip neigh flush dev eth0; ping -c 1 -I 192.168.86.55 192.168.86.1'
  within 10 'an answer to another MAC' docker exec "$host" sh -c 'ip neigh show 192.168.86.55 | grep 52:54:00:77:00:99'
  sleep 5
  same 'what is seen of a stranger behind the card' 'seen: 192.168.86.54' "$(seen_by_the_pod "$vm")"
  docker exec "$node" ip -o link show type veth > "$test/links"
  same 'ends of pods on the node' 1 "$(grep -c qvm "$test/links")"
  docker rm -fv "$vm" "$pod"
  gone() { of_node > "$test/after"; diff "$test/before" "$test/after"; }
  within 5 'the same as before, on the node' gone
}
bridge_can_run_again() { # test
  small_lan
  state() {
    docker exec "$pod" nft list ruleset
    docker exec "$pod" ip -o link | sed 's/^[0-9]*: //; s/@if[0-9]*//; s/ether [^ ]*//; s/ link-netnsid.*//'
    docker exec "$node" ip -br link show master br0 | sed 's/@.*//'
  }
  bridge $home,address=192.168.86.53
  state > "$test/before"
  has "$test/before" qvm
  bridge $home,address=192.168.86.53
  state | sed s/qvm1/qvm0/ > "$test/after"
  diff "$test/before" "$test/after"
}
two_lans_have_two_ports() { # test
  small_lan
  docker exec "$node" ip link add br7 mtu 1300 type bridge
  docker exec "$node" ip link set br7 up
  bridge name=home,tap=tap1,bridge=br0 name=lab,tap=tap2,bridge=br7
  for ports in br0 br7; do same "pods at $ports" 1 "$(docker exec "$node" ip -o link show master $ports | grep -c qvm)"; done
  same 'at brlan2' 'lan2 tap2' "$(docker exec "$pod" ip -br link show master brlan2 | sed 's/[@ ].*//' | sort | tr '\n' ' ' | sed 's/ $//')"
  same 'MTU of tap2' 1300 "$(docker exec "$pod" cat /sys/class/net/tap2/mtu)"
}
node_without_the_bridge_is_told() { # test
  small_lan
  refused bridge name=home,tap=tap1,bridge=br7
  told BridgeMissing 'the node n1 has no bridge br7. Make one'
  refused bridge name=home,tap=tap1,bridge=eth0       # a link, but none
  told BridgeMissing 'no bridge eth0'
}
bridge_that_is_down_is_told() { # test
  small_lan
  docker exec "$node" ip link set br0 down
  refused bridge $home
  told BridgeFailed 'ip link set br0 up'
}
mtu_above_the_bridges_is_told() { # test
  small_lan
  bridge $home,mtu=1500
  refused bridge $home,mtu=1501
  told MTUMismatch "MTU 1501 is larger than that of the bridge br0 of the node n1, which is 1500"
}
what_ip_says_is_told() { # test
  small_lan
  refused bridge -e NODE_NETWORK=/host/proc/none $home
  told BridgeFailed 'nsenter: cannot open /host/proc/none'
  refused bridge name=home,tap=a-name-too-long-1,bridge=br0
  told BridgeFailed 'a-name-too-long-1'
}
address_in_use_is_told_with_who_answered() { # test
  small_lan
  host=$(lan_host 192.168.86.53/24 fd00:86::53/64)
  settled() { ! docker exec "$host" ip -6 addr show dev eth1 tentative | grep .; }
  within 10 'the host to have its address' settled
  for address in 192.168.86.53 fd00:86::53 FD00:86:0:0::0053; do
    refused bridge $home,address=192.168.86.54,address=$address,address=fd00:86::54
    told AddressInUse "$address is in use: $(mac_of "$host") answered for it on the LAN of the bridge br0"
  done
}
free_address_is_asked_for_in_little_time() { # test
  small_lan
  host=$(lan_host 192.168.86.1/24 fd00:86::1/64)
  began=$(date +%s%N)
  bridge $home,address=192.168.86.53,address=192.168.86.54,address=fd00:86::53
  lasted 1000 2700 "$began"                           # docker's own time is in it
  same 'addresses left on the LAN' '' "$(docker exec "$pod" ip -o addr show dev brlan1)"
}
address_behind_a_bridge_that_speaks_stp_is_waited_for() { # test
  small_lan
  docker exec "$node" ip link set br0 type bridge forward_delay 200
  host=$(lan_host 192.168.86.53/24)
  within 10 'the host at the bridge' docker exec "$node" sh -c 'ip -d -o link show dev host0 | grep "state forwarding"'
  docker exec "$node" ip link set br0 type bridge stp_state 1
  within 15 'the host behind STP' docker exec "$node" sh -c 'ip -d -o link show dev host0 | grep "state forwarding"'
  refused bridge $home,address=192.168.86.53
  told AddressInUse "$(mac_of "$host")"
}
refusal_of_a_lan_ends_the_pod() { # test
  lan_node
  directories "$test"
  vm=$(vm "$test" "$(pod)" $(as_node) -- --accelerator=TCG --bridge=name=home,tap=tap1,bridge=br7 -- -nodefaults)
  ended "$vm" 70
  message "$test" | grep -F '"reason":"BridgeMissing","disk":"",' | grep -F ',"network":"home"}'
}
node_that_stays_mounted_ends_the_pod() { # test
  lan_node
  directories "$test"
  mkdir "$test/bin"
  printf '#!/bin/sh\nexit 1\n' > "$test/bin/umount"
  chmod 755 "$test/bin/umount"
  vm=$(vm "$test" "$(pod)" $(as_node) -v "$test/bin:/test:ro" -e PATH=/test:/usr/sbin:/usr/bin -- --accelerator=TCG --bridge=$home -- -nodefaults)
  ended "$vm" 70
  gave_up "$test" WrapperFailed ''
  has "$test/message" 'is still mounted'
}
sigterm_while_the_lan_is_asked_ends_the_pod_at_once() { # test
  lan_node
  directories "$test"
  vm=$(vm "$test" "$(pod)" $(as_node) -- --accelerator=TCG --bridge=$home,address=192.168.86.53 -- -nodefaults)
  within 10 'a question' docker exec "$vm" pidof arping
  began=$(date +%s%N)
  docker kill -s TERM "$vm"
  ended "$vm" 0
  lasted 0 1000 "$began"
  wrapper_said "$test" '"TCG"' '"TERM"' 0
}

# --- VLANs: in a guest that plays the node, because the kernel of the machine need not have them ---

shared_vlan_node() { # sets $vm; in it, `in_net NAME COMMAND...` runs the runner's programs in the network namespaces node, pod, guest, host, other
  if [ ! -e "$all/vlan/vm" ]; then
    directories "$all/vlan"
    with_base "$all/vlan"
    docker run --rm --entrypoint sh "$runner" -c 'cd / && tar -c $(ls -d usr/bin/* | grep -v qemu) usr/sbin usr/lib usr/lib64 bin sbin lib lib64' > "$all/vlan/work/runner"
    vm "$all/vlan" "$(pod)" -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --nat=52:54:00:12:34:56 --grace-seconds=30 -- \
      $(machine '' 256M) $(disk_device root ,bootindex=1) $nic \
      -blockdev driver=raw,node-name=runner,read-only=on,file.driver=file,file.filename=/handover/runner -device virtio-blk-pci,drive=runner,serial=runner \
      > "$all/vlan/vm"
    ready "$(cat "$all/vlan/vm")"
    guest "$(cat "$all/vlan/vm")" "$(cat <<'G'
mkdir -p /tmp/runner/proc /tmp/runner/sys /tmp/runner/dev/net /tmp/runner/tmp /tmp/runner/run
tar -x -C /tmp/runner -f "$(disk runner)"
for module in bridge 8021q veth tun nf_tables; do modprobe $module || exit; done
mount -t proc p /tmp/runner/proc
mount -t devtmpfs d /tmp/runner/dev
for net in pod guest host other; do
  unshare -n -m sh -c 'mount -t sysfs s /tmp/runner/sys; exec sleep 100000' > /dev/null 2>&1 &
  echo $! > /tmp/$net
done
echo 1 > /tmp/node
cat > /bin/in_net <<'I'
#!/bin/sh
process=$(cat /tmp/$1)
shift
export PATH=/usr/sbin:/usr/bin:/bin NODE_NETWORK=/proc/1/ns/net FAILURE=/dev/stdout
exec nsenter -t $process -n -m chroot /tmp/runner /usr/bin/dash -c 'exec "$@"' - "$@" # busybox itself would take its own ip
I
chmod 755 /bin/in_net
until in_net host ls -d /sys/class/net/lo && in_net other ls -d /sys/class/net/lo && in_net pod ls -d /sys/class/net/lo; do sleep 0.1; done
G
    )"
  fi
  vm=$(cat "$all/vlan/vm")
}
vlan_lan() { # FILTERING ADDRESS: the bridge br0, made anew, with `host` in VLAN 20 at ADDRESS and `other` outside of it
  guest "$vm" "set -e
    for link in br0 at_host at_other; do ! in_net node ip link show \$link > /dev/null 2>&1 || in_net node ip link del \$link; done
    in_net node ip link add br0 type bridge vlan_filtering $1
    for host in host other; do
      in_net node ip link add at_\$host type veth peer name eth1 netns \$(cat /tmp/\$host)
      in_net node ip link set at_\$host master br0 up
      in_net \$host ip link set eth1 up
    done
    in_net node ip link set br0 up
    inside=eth1
    if [ $1 = 1 ]; then
      in_net node bridge vlan del dev at_host vid 1
      in_net node bridge vlan add dev at_host vid 20 pvid untagged
    else
      in_net host ip link add link eth1 name eth1.20 type vlan id 20
      in_net host ip link set eth1.20 up
      inside=eth1.20
    fi
    in_net host ip addr add $2/24 dev \$inside
    in_net other ip addr add 192.168.86.2/24 dev eth1
    echo the LAN is there" > "$test/said"
  has "$test/said" 'the LAN is there'
}
vlan_is_joined() { # FILTERING: the pod, and a guest behind it, reach that VLAN and no other
  shared_vlan_node
  vlan_lan "$1" 192.168.86.1
  guest "$vm" 'set -e
    in_net pod /usr/lib/qemu-operator/bridge name=home,tap=tap1,bridge=br0,vlan=20,address=192.168.86.53
    ! in_net guest ip link show eth1 > /dev/null 2>&1 || in_net guest ip link del eth1
    in_net pod ip link add guest type veth peer name eth1 netns $(cat /tmp/guest)
    in_net pod ip link set guest master brlan1 up
    in_net guest ip link set eth1 up
    in_net guest ip addr add 192.168.86.53/24 dev eth1
    in_net guest ping -c 2 -W 2 192.168.86.1 && echo in the VLAN
    in_net guest ping -c 2 -W 2 192.168.86.2 || echo not outside of it' > "$test/said"
  has "$test/said" 'in the VLAN'
  has "$test/said" 'not outside of it'
}
vlan_address_in_use() { # FILTERING
  shared_vlan_node
  vlan_lan "$1" 192.168.86.53
  guest "$vm" 'in_net pod /usr/lib/qemu-operator/bridge name=home,tap=tap1,bridge=br0,vlan=20,address=192.168.86.2,address=192.168.86.53; echo ended with $?' > "$test/said"
  has "$test/said" '192.168.86.53 is in use: '
  lacks "$test/said" '192.168.86.2 is in use'         # that one is not in the VLAN
  has "$test/said" 'ended with 70'
}
vlan_of_a_bridge_that_filters_is_the_ports() { # test
  vlan_is_joined 1
  guest "$vm" 'in_net node bridge vlan show dev qvm0 | grep -o "[0-9].*"; in_net pod ip -br link show master brlan1' > "$test/said"
  has "$test/said" '20 PVID Egress Untagged'
  same 'VLANs of the port' 1 "$(grep -c '^[0-9]' "$test/said")"
  has "$test/said" 'lan1@'
}
vlan_of_another_bridge_is_tagged_in_the_pod() { # test
  vlan_is_joined 0
  guest "$vm" 'in_net pod ip -br link show master brlan1' > "$test/said"
  has "$test/said" 'lan1.20@lan1'
}
address_in_use_in_a_vlan_is_told() { # test
  vlan_address_in_use 1
  vlan_address_in_use 0
}
lan_is_told_where_the_guest_is_before_it_speaks() { # test
  small_lan                                           # a guest without a disk, which never sends anything itself
  directories "$test"
  vm=$(vm "$test" "$pod" $(as_node) -- --accelerator=TCG --grace-seconds=5 --bridge=$home -- $(machine '') $lan_nic)
  within 10 'the MAC at its port' docker exec "$node" sh -c 'bridge fdb show br br0 | grep "^52:54:00:77:00:50 dev qvm0 "'
}
node_firewall() { # RULE...: the node's FORWARD chain drops what no rule accepts
  docker exec "$node" nft add table ip filter
  docker exec "$node" nft flush table ip filter
  docker exec "$node" nft 'add chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }'
  for rule; do docker exec "$node" nft add rule ip filter FORWARD $rule; done
}
node_filters() { docker exec "$node" sh -c "echo $1 > /proc/sys/net/bridge/bridge-nf-call-iptables"; } # 0|1
node_firewall_that_drops_what_the_bridge_carries_is_told() { # test
  small_lan
  [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || fail 'this kernel has no br_netfilter: modprobe br_netfilter'
  host=$(lan_host 192.168.86.1/24)
  node_filters 1
  bridge $home,address=192.168.86.53
  node_firewall
  refused bridge $home,address=192.168.86.53
  told BridgeFiltered 'iptables -I FORWARD -i br0 -o br0 -j ACCEPT'
  for rule in 'iifname br0 oifname br0 accept' 'ip saddr 192.168.86.0/24 ip daddr 192.168.86.0/24 accept'; do
    node_firewall "$rule"
    bridge $home,address=192.168.86.53
  done
  node_firewall
  node_filters 0
  bridge $home,address=192.168.86.53
  same 'links left of the question' '' "$(docker exec "$pod" ip -o link | grep probe)"
  same 'ports' 'host0 qvm0 ' "$(docker exec "$node" sh -c 'ls /sys/class/net/br0/brif | grep -v "^qvm[1-9]" | tr "\n" " "')"
  same 'guest ports' 1 "$(docker exec "$node" sh -c 'ls /sys/class/net/br0/brif | grep -c qvm')"
}
firewall_is_asked_without_a_word_to_the_lan() { # test
  small_lan
  host=$(lan_host 192.168.86.1/24)
  node_filters 1
  docker exec "$host" sh -c 'nft add table netdev seen; nft add chain netdev seen in "{ type filter hook ingress device eth1 priority 0; }"; nft add rule netdev seen in ip protocol icmp counter'
  bridge $home,address=192.168.86.53
  docker exec "$host" nft list table netdev seen > "$test/seen"
  has "$test/seen" 'counter packets 0 '
}
firewall_is_asked_for_each_lan() { # test
  small_lan
  docker exec "$node" sh -c 'ip link add br1 type bridge && ip link set br1 up'
  node_filters 1
  node_firewall 'iifname br0 oifname br0 accept'
  refused bridge $home,address=192.168.86.53 name=lab,tap=tap2,bridge=br1,address=10.9.0.53
  has "$test/termination" '"reason":"BridgeFiltered"'
  has "$test/termination" '"network":"lab"'
}
firewall_is_asked_through_a_bridge_that_speaks_stp() { # test
  small_lan
  node_filters 1
  docker exec "$node" ip link set br0 type bridge forward_delay 200 stp_state 1
  bridge $home,address=192.168.86.53
}
