# shellcheck shell=sh disable=SC2154,SC2046,SC2086 # the variables of `run`; words
# What a pod on the node's network finds of its bridge. A container plays the node; a directory plays its wireless card, which there is none of.
find_bridge() { # BRIDGE [OPTION...]: as the pod does it, on $node; prints the answer's data
  docker exec --user 65534 ${2:+-e "$2"} "$node" sh -c "ANSWER=/tmp/answer-$1 exec /usr/lib/qemu-operator/find-bridge $1"
  docker exec "$node" cat "/tmp/answer-$1" > "$test/answer"
  python3 -c 'import json, sys
line = json.load(open(sys.argv[1]))
assert line["event"] == "BRIDGE", line
print(json.dumps(line["data"], separators=(",", ":")))' "$test/answer"
}

bridge_that_can_be_used_is_found() { # test
  lan_node
  docker exec "$node" ip link set br0 mtu 1400
  same answer '{"exists":true,"up":true,"mtu":1400,"wireless":""}' "$(find_bridge br0)"
}
bridge_that_is_down_is_found_to_be() { # test
  lan_node
  docker exec "$node" ip link set br0 down
  same answer '{"exists":true,"up":false,"mtu":1500,"wireless":""}' "$(find_bridge br0)"
}
bridge_that_is_not_there_is_told_with_those_that_are() { # test
  lan_node
  docker exec "$node" ip link add br-lab type bridge
  docker exec "$node" ip link add eth7 type veth peer name eth8
  same answer '{"exists":false,"others":"br0 br-lab"}' "$(find_bridge br7)"
  same 'what is no bridge' '{"exists":false,"others":"br0 br-lab"}' "$(find_bridge eth7)"
  docker exec "$node" sh -c 'ip link del br0; ip link del br-lab'
  same 'without any' '{"exists":false,"others":""}' "$(find_bridge br0)"
}
bridge_that_leads_nowhere_on_a_wireless_node_is_told() { # test
  lan_node
  docker exec "$node" sh -ec '
    ip link del dev eth0 2>/dev/null || true
    ip link add wlan0 type veth peer name wlan1 && ip link set wlan1 up && ip link set wlan0 up && ip addr add 10.99.0.2/24 dev wlan0 && ip route replace default via 10.99.0.1 dev wlan0
    mkdir -p /tmp/sys/class/net/br0/brif/eth5 /tmp/sys/class/net/eth5/device /tmp/sys/class/net/wlan0/phy80211 && rmdir /tmp/sys/class/net/br0/brif/eth5'
  same answer '{"exists":true,"up":true,"mtu":1500,"wireless":"wlan0"}' "$(find_bridge br0 SYS=/tmp/sys)"
  docker exec "$node" mkdir /tmp/sys/class/net/br0/brif/eth5
  same 'with a card as its port' '{"exists":true,"up":true,"mtu":1500,"wireless":""}' "$(find_bridge br0 SYS=/tmp/sys)"
  docker exec "$node" sh -c 'rmdir /tmp/sys/class/net/eth5/device; mkdir /tmp/sys/class/net/eth5/lower_eth6'
  same 'with a bond as its port' '{"exists":true,"up":true,"mtu":1500,"wireless":""}' "$(find_bridge br0 SYS=/tmp/sys)"
  docker exec "$node" sh -c 'rmdir /tmp/sys/class/net/eth5/lower_eth6'
  same 'with a port that leads to a pod' '{"exists":true,"up":true,"mtu":1500,"wireless":"wlan0"}' "$(find_bridge br0 SYS=/tmp/sys)"
  docker exec "$node" ip addr add 10.86.0.1/24 dev br0
  same 'with an address' '{"exists":true,"up":true,"mtu":1500,"wireless":""}' "$(find_bridge br0 SYS=/tmp/sys)"
}
