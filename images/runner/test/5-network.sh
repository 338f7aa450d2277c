# shellcheck shell=sh disable=SC2154,SC2034,SC2046,SC2086 # the variables of `run`; words
# The pod network, as a network plugin that routes makes it: a container plays the node, with a veth to each of two pods.
pod_at() { # VETH ADDRESS GATEWAY: a pod on $node whose eth0 has the MTU of a tunnel; its container id
  id=$(start $privileged --network none --entrypoint sh "$runner" -c 'mkdir /www; echo here > /www/index.html
    busybox httpd -h /www -p 8080; exec sleep infinity')
  docker exec "$node" ip link add "$1" mtu 1450 type veth peer name eth0 mtu 1450 netns "$(in_network_of "$id")"
  docker exec "$node" ip addr add "$3/24" dev "$1"
  docker exec "$node" ip link set "$1" up
  docker exec "$id" ip addr add "$2/24" dev eth0
  docker exec "$id" ip link set eth0 up
  docker exec "$id" ip route add default via "$3"
  echo "$id"
}
routed_vm() { # one guest, for the tests that change nothing for longer: sets $vm, $pod, $node, $client
  routed=$all/routed
  if [ ! -e "$routed/vm" ]; then
    directories "$routed"
    with_base "$routed"
    start $privileged -v /proc:/host/proc:ro --entrypoint sleep "$runner" infinity > "$routed/node"
    node=$(cat "$routed/node")
    docker exec "$node" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
    pod_at pod0 10.42.0.5 10.42.0.1 > "$routed/pod"
    pod_at client0 10.42.1.5 10.42.1.1 > "$routed/client"
    vm "$routed" "$(cat "$routed/pod")" -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --nat=52:54:00:12:34:56 --grace-seconds=30 -- \
      $(machine '') $(disk_device root ,bootindex=1) $nic > "$routed/vm"
  fi
  vm=$(cat "$routed/vm") pod=$(cat "$routed/pod") node=$(cat "$routed/node") client=$(cat "$routed/client")
  ready "$vm"
}
asks() { # TEXT: from the client, at the pod's address
  docker exec "$client" wget -q -O - --tries=1 --timeout=5 --post-data="$1" http://10.42.0.5/cgi-bin/exec
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
  docker exec "$vm" nc -z -w 2 10.42.0.5 7000
  for port in 7000 7001; do refused [ "$(guest "$vm" "nc -z -w 2 10.42.0.5 $port && echo open")" = open ]; done
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
