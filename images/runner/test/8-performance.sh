# shellcheck shell=sh disable=SC2154,SC2034,SC2046,SC2086,SC2016 # the variables of `run`; words; others expand them
# What the pod's network costs: the same guest is reached from another pod, from a host of its LAN, and bare, which is by an address on
# its tap alone, with neither rules nor bridges. The figures of docs/performance.md: PERFORMANCE_RUNS=9 ./test shell --tests 'network-*-bare-*'.
# Otherwise each is taken once, and only must not be absurd.
: "${PERFORMANCE_RUNS:=1}"

nc_for_the_guest() { # FILE: OpenBSD's nc and its libraries, as a tar archive; busybox's copies 1 KiB at a time
  docker run --rm --entrypoint sh "$runner" -c 'tar -c -h -C / usr/bin/nc.openbsd $(/lib64/ld-linux-x86-64.so.2 --list /usr/bin/nc.openbsd |
    grep -o "/[^ ]*" | sort -u | cut -c 2-)' > "$1"
}
measured_guest() { # sets $vm, $pod, $node, $host, $friend; the guest has 64 MiB at /zeros and takes what comes on port 5002
  lan_node
  host=$(lan_host 192.168.86.1/24)
  friend=$(start --entrypoint sleep "$runner" infinity)
  pod=$(pod)
  directories "$test"
  with_base "$test"
  nc_for_the_guest "$test/work/nc"
  vm=$(vm "$test" "$pod" $(as_node) -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --grace-seconds=10 \
    --nat=52:54:00:12:34:56 --bridge=name=home,tap=tap1,bridge=br0,address=192.168.86.53 -- $(machine '') $(disk_device root ,bootindex=1) $nic \
    -netdev tap,id=lan,ifname=tap1,script=no,downscript=no -device virtio-net-pci,netdev=lan,mac=52:54:00:77:00:50,romfile= \
    -blockdev driver=raw,node-name=nc,read-only=on,file.driver=file,file.filename=/handover/nc -device virtio-blk-pci,drive=nc,serial=nc)
  ready "$vm"
  guest "$vm" 'set -e
    ip addr add 192.168.86.53/24 dev eth1
    truncate -s 67108864 /tmp/zeros
    ln -s /tmp/zeros /www/zeros
    mkdir -p /tmp/root
    tar -x -C /tmp/root -f $(disk nc)
    (while :; do chroot /tmp/root /usr/bin/nc.openbsd -l 5002; done) < /dev/null > /dev/null 2>&1 &'
}
bare() { # COMMAND...: while the pod has no rules
  docker exec "$pod" nft list ruleset > "$test/rules"
  docker exec "$pod" nft flush ruleset
  "$@"
  docker exec -i "$pod" nft -f - < "$test/rules"
}
timed() { # CONTAINER COMMAND ADDRESS: MiB/s, by a clock of 10 ms; again if it fails, since the guest listens anew after each connection
  docker exec "$1" sh -c 'for _ in $(seq 50); do
      read -r began _ < /proc/uptime
      if '"$2"'; then read -r ended _ < /proc/uptime; echo "$began $ended" | awk "{print 64 / (\$2 - \$1)}"; exit; fi
      sleep 0.1
    done
    exit 1' - "$3"
}
out_of() { timed "$1" 'wget -q -O /dev/null --tries=1 "http://$1/zeros"' "$2"; } # CONTAINER ADDRESS
into() { timed "$1" 'head -c 67108864 /dev/zero | nc.openbsd -N "$1" 5002 > /dev/null' "$2"; }
round_trip() { # its median, in ms
  docker exec "$1" ping -c 40 -i 0.05 "$2" | sed -n 's/.* time=\([0-9.]*\) .*/\1/p' | sort -n | sed -n 20p
}
measure() { # PATH CONTAINER ADDRESS
  for what in into out_of round_trip; do
    [ $what:$1 != round_trip:pod ] || continue        # the pod answers pings itself
    figure=$($what "$2" "$3")
    echo "$what $1 $figure" >> "$test/figures"
  done
}
network_against_a_bare_tap() { # test
  measured_guest
  run=0
  while [ $run -lt $PERFORMANCE_RUNS ]; do
    run=$((run + 1))
    bare measure bare "$pod" 10.0.2.15
    measure pod "$friend" "$(address "$pod")"
    measure LAN "$host" 192.168.86.53
  done
  python3 - "$test/figures" <<'P'
import collections, statistics, sys
figures = collections.defaultdict(list)
for line in open(sys.argv[1]):
    what, path, figure = line.split()
    figures[what, path].append(float(figure))
def compare(what, name, path, unit):
    ratios = [figure / bare for figure, bare in zip(figures[what, path], figures[what, "bare"])]
    ratio, figure, bare = map(statistics.median, (ratios, figures[what, path], figures[what, "bare"]))
    print(f"figure: | {name}, {path} / bare | {ratio:.2f} ({figure:.3g} / {bare:.3g} {unit}) | {min(ratios):.2f}–{max(ratios):.2f} |")
    return ratio
assert compare("into", "TCP into the guest", "pod", "MiB/s") > 0.1
assert compare("into", "TCP into the guest", "LAN", "MiB/s") > 0.1
assert compare("out_of", "TCP out of the guest", "pod", "MiB/s") > 0.1
assert compare("out_of", "TCP out of the guest", "LAN", "MiB/s") > 0.1
assert compare("round_trip", "round trip (ping)", "LAN", "ms") < 10
P
}
