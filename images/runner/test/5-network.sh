# shellcheck shell=sh disable=SC2154,SC2034,SC2046,SC2086 # the variables of `run`; words
# The pod network, as a network plugin that routes makes it: a container plays the node, with a veth to each of two pods.
pod_at() { # VETH NUMBER: a pod on $node, 10.42.NUMBER.5 and fd42:NUMBER::5, whose eth0 has the MTU of a tunnel; its container id
  id=$(start $privileged --network none --entrypoint sh "$runner" -c 'mkdir /www; echo here > /www/index.html
    busybox httpd -h /www -p 8080; exec sleep infinity')
  docker exec "$node" ip link add "$1" mtu 1450 type veth peer name eth0 mtu 1450 netns "$(in_network_of "$id")"
  for container in "$node" "$id"; do
    docker exec "$container" sh -c 'for device in all lo eth0; do echo 0 > /proc/sys/net/ipv6/conf/$device/disable_ipv6; done'
  done
  docker exec "$node" sh -c "echo 0 > /proc/sys/net/ipv6/conf/$1/disable_ipv6; ip addr add 10.42.$2.1/24 dev $1
    ip addr add fd42:$2::1/64 dev $1 nodad; ip link set $1 up"
  docker exec "$id" sh -c "ip addr add 10.42.$2.5/24 dev eth0; ip addr add fd42:$2::5/64 dev eth0 nodad; ip link set eth0 up
    ip route add default via 10.42.$2.1; ip route add default via fd42:$2::1"
  echo "$id"
}
routed_vm() { # one guest, for the tests that change nothing for longer: sets $vm, $pod, $node, $client
  routed=$all/routed
  if [ ! -e "$routed/vm" ]; then
    directories "$routed"
    with_base "$routed"
    start $privileged -v /proc:/host/proc:ro --entrypoint sleep "$runner" infinity > "$routed/node"
    node=$(cat "$routed/node")
    docker exec "$node" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
    pod_at pod0 0 > "$routed/pod"
    pod_at client0 1 > "$routed/client"
    docker exec "$(cat "$routed/pod")" sh -c 'printf "nameserver 10.96.0.53\nnameserver fd96::53\n" > /etc/resolv.conf'
    vm "$routed" "$(cat "$routed/pod")" -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --nat=52:54:00:12:34:56 --grace-seconds=30 -- \
      $(machine '') $(disk_device root ,bootindex=1) $nic > "$routed/vm"
  fi
  vm=$(cat "$routed/vm") pod=$(cat "$routed/pod") node=$(cat "$routed/node") client=$(cat "$routed/client")
  ready "$vm"
}
asks() { # TEXT [ADDRESS]: from the client, at the pod's address
  docker exec "$client" wget -q -O - --tries=1 --timeout=5 --post-data="$1" "http://${2:-10.42.0.5}/cgi-bin/exec"
}
guest6=fd71:656d:7500:0:5054:ff:fe12:3456 # of its MAC address
has_ipv6() { guest "$vm" 'ip -6 -o addr show dev eth0' | grep -F "$guest6/64" | grep -vw tentative; }
dual_vm() { # the same guest, once it has an IPv6 address, too
  routed_vm
  within 20 'an IPv6 address of the guest' has_ipv6
}
rules() { docker exec -i "$node" nft -f -; } # of the node

guest_has_the_mtu_of_a_tunnel() { # test
  routed_vm
  same 'mtu of guest and tap' '1450 1450' "$(guest "$vm" 'cat /sys/class/net/eth0/mtu') $(docker exec "$vm" cat /sys/class/net/tap0/mtu)"
}
guest_learns_of_a_narrower_path() { # test
  routed_vm
  docker exec "$node" ip route add 10.42.1.5/32 dev client0 mtu lock 1300
  asks 'head -c 200000 /dev/zero' > "$test/answer" || failed=yes
  docker exec "$node" awk '/^Icmp: [0-9]/ {print $16}' /proc/net/snmp > "$test/told"
  docker exec "$node" ip route del 10.42.1.5/32
  same 'answer cut off' '' "${failed:-}"
  same 'bytes of the answer' 200000 "$(wc -c < "$test/answer")"
  [ "$(cat "$test/told")" -gt 0 ] || fail 'the node has not said that the path is narrow'
}
client_is_seen_with_its_own_address() { # test
  routed_vm
  same sender '[::ffff:10.42.1.5]' "$(asks 'echo $REMOTE_ADDR')"
  same 'sender of a port-forward' '[::ffff:10.0.2.1]' "$(docker exec "$vm" wget -q -O - --post-data='echo $REMOTE_ADDR' http://127.0.0.1/cgi-bin/exec)"
}
guest_reaches_itself_at_the_pods_address() { # test
  routed_vm
  guest "$vm" 'TIMEOUT=5 get http://10.42.0.5/' > "$test/page"
  has "$test/page" 'boots 1'
  opens 10.42.0.5 80
  docker exec "$vm" nc -z -w 2 10.42.0.5 7000
  for port in 7000 7001; do refused opens 10.42.0.5 $port; done
}
guest_reaches_itself_through_its_service() { # test
  routed_vm
  # what kube-proxy does, also that the sender becomes the node where a pod reaches itself
  rules <<'N'
table ip service {
  chain to { type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 tcp dport 80 dnat to 10.42.0.5:80; }
  chain hairpin { type nat hook postrouting priority srcnat; ip saddr 10.42.0.5 ip daddr 10.42.0.5 masquerade; }
}
N
  guest "$vm" 'TIMEOUT=5 get http://10.96.0.10/' > "$test/page" || true
  docker exec "$node" nft delete table ip service
  has "$test/page" 'boots 1'
}
# A network policy is a rule of the node about the pod's address or veth.
network_policies_hold_for_the_guest() { # test
  routed_vm
  egress() { [ "$(guest "$vm" 'TIMEOUT=2 get http://10.42.1.5:8080/ 2>&1')" = here ]; }
  ingress() { [ "$(asks 'echo here')" = here ]; }
  egress
  ingress
  policy() { # RULE
    rules <<N
table ip policies {
  chain forward { type filter hook forward priority filter; ct state established,related accept; $1; }
}
N
  }
  lift() { docker exec "$node" nft delete table ip policies; }
  policy 'iifname "pod0" ip saddr 10.42.0.5 tcp dport 8080 drop'
  refused egress
  ingress
  lift
  policy 'oifname "pod0" ip saddr 10.42.1.5 tcp dport 80 drop'
  refused ingress
  egress
  lift
  egress
  ingress
}

guest_configures_itself_for_ipv6() { # test
  dual_vm
  same 'default route' fe80: "$(guest "$vm" 'ip -6 route show default' | awk '{print substr($3, 1, 5); exit}')"
  same 'default routes' 1 "$(guest "$vm" 'ip -6 route show default' | grep -c default)"
  same mtu 1450 "$(guest "$vm" 'cat /proc/sys/net/ipv6/conf/eth0/mtu')"
  has "$routed/run/radvd/conf" 'RDNSS fd96::53 {};'
  lacks "$routed/run/radvd/conf" 10.96.0.53
  docker exec "$vm" sh -c 'cat /proc/$(pidof radvd | cut -d " " -f 1)/status' > "$test/status"
  has "$test/status" 'Uid:	108	108	108	108'
  has "$test/status" 'CapEff:	0000000000002000'
}
guest_reaches_the_network_by_ipv6_as_the_pod() { # test
  dual_vm
  docker exec -d "$client" sh -c 'exec busybox httpd -f -vv -p 8081 -h /www 2> /tmp/log'
  within 10 'a server' docker exec "$client" nc -z fd42:1::5 8081
  guest "$vm" "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 fd42:1::5 8081" > "$test/page"
  has "$test/page" here
  docker exec "$client" cat /tmp/log > "$test/senders"
  has "$test/senders" '[fd42::5]:'
}
pods_ports_are_the_guests_by_ipv6() { # test
  dual_vm
  same sender '[fd42:1::5]' "$(asks 'echo $REMOTE_ADDR' '[fd42:0::5]')"
}
guest_reaches_itself_by_ipv6_at_the_pods_address() { # test
  dual_vm
  opens fd42:0::5 80
}
guest_reaches_neither_pod_nor_kubelet_by_ipv6() { # test
  dual_vm
  link=$(docker exec "$vm" ip -6 -o addr show dev tap0 scope link | awk '{sub("/.*", "", $4); print $4}')
  for port in 7005 10809; do docker exec -d "$pod" nc -6 -l -k $port; done
  for port in 10250 8090; do docker exec -d "$node" nc -6 -l -k $port; done
  listening() {
    docker exec "$pod" nc -z fd71:656d:7500::1 7005 && docker exec "$pod" nc -z fd42:0::5 10809 &&
      docker exec "$node" nc -z fd42:0::1 10250 && docker exec "$node" nc -z fd42:0::1 8090
  }
  within 10 listeners listening
  for ip in fd71:656d:7500::1 "$link%eth0"; do refused opens "$ip" 7005; done
  refused opens fd42:0::5 10809
  opens fd42:1::1 8090
  for ip in fd42:0::1 fd42:1::1; do refused opens "$ip" 10250; done
}
qemus_ports_are_not_the_guests_by_ipv6() { # test
  dual_vm
  guest "$vm" 'for port in 7000 7004 4444 10809 7006; do nc -ll -p $port -e echo guest >/dev/null 2>&1 & done'
  answers() { docker exec "$client" sh -c "busybox nc -w 2 fd42:0::5 $1 < /dev/null | grep guest"; }
  within 10 'a listener in the guest' answers 7006
  for port in 7000 7004 4444 10809; do refused answers $port; done
}
guest_whose_way_out_is_another_card_answers_by_ipv6() { # test
  routed_vm
  directories "$test"
  with_base "$test"
  pod=$(pod_at second0 2)
  vm=$(vm "$test" "$pod" -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --nat=52:54:00:12:34:56 --nat-secondary --grace-seconds=30 -- \
    $(machine '') $(disk_device root ,bootindex=1) $nic)
  ready "$vm"
  within 20 'an IPv6 address of the guest' has_ipv6
  same 'default routes' '' "$(guest "$vm" 'ip -6 route show default')"
  same sender '[fd71:656d:7500::1]' "$(asks 'echo $REMOTE_ADDR' '[fd42:2::5]')"
  docker kill "$vm"
}
