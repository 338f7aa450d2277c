# shellcheck shell=sh disable=SC2154,SC2034,SC2089,SC2090 # the variables of `run`
# What the tests share. $test is the test's own directory, $all/shared the one of all.

fail() { echo "$*"; exit 1; }
same() { # WHAT EXPECTED ACTUAL
  [ "$2" = "$3" ] || fail "$1: expected '$2', is '$3'"
}
has() { # FILE TEXT
  grep -qF -- "$2" "$1" || { cat "$1"; fail "no '$2' in it"; }
}
lacks() { # FILE TEXT
  ! grep -qF -- "$2" "$1" || { cat "$1"; fail "'$2' is in it"; }
}
within() { # SECONDS WHAT COMMAND...: until COMMAND succeeds
  seconds=$1 what=$2
  shift 2
  end=$(($(date +%s) + seconds))
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt $end ] || fail "not within $seconds s: $what"
    sleep 0.2
  done
}
refused() { # COMMAND...
  ! "$@" || fail "should have failed: $*"
}
start() { # docker run's arguments: a container in the background, removed at the end; its id
  id=$(docker run -d "$@")
  echo "$id" >> "$containers"
  echo "$id"
}
address() { docker inspect -f '{{.NetworkSettings.IPAddress}}' "$1"; }

# --- downloads ---

serve() { # http_server.py's further arguments: serves $test/www/file, random bytes if there is none; sets $url, $digest; the server ends with the test
  mkdir -p "$test/work" "$test/cache" "$test/www"
  : > "$test/termination"
  [ -e "$test/www/file" ] || head -c 3000000 /dev/urandom > "$test/www/file"
  digest=$(sha256sum < "$test/www/file" | cut -d ' ' -f 1)
  python3 "$here/http_server.py" "$test/www" "$@" &
  server=$!
  trap 'kill $server' EXIT
  within 10 'the http server' test -s "$test/www/port"
  url=http://127.0.0.1:$(cat "$test/www/port")
}
download_options() { # with $declared as the image's format
  echo "--network host -v $test/work:/handover -v $test/cache:/cache -v $test/termination:/dev/termination-log -e HANDOVER=/handover -e CACHE=/cache
    -e FORMAT=${declared:-} --entrypoint /usr/lib/qemu-operator/download"
}
# shellcheck disable=SC2046 # words
download() { docker run --rm $(download_options) "$runner" root "$@"; } # CHECKSUM URL...
reason() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(d["data"]["reason"]); print(d, file=sys.stderr)' "$test/termination"; }
told_digest() { # DIGEST [FORMAT [PLACE]]: the termination message tells the operator, with where it came from unless it was cached
  same 'termination message' "{\"event\":\"BASE_IMAGE\",\"data\":{\"disk\":\"root\",\"digest\":\"sha256:$1\"${2:+,\"format\":\"$2\"}${3:+,\"source\":\"$3\"}}}" "$(cat "$test/termination")"
}

# --- a pod ---

directories() { # DIR: the pod's volumes
  mkdir -p "$1/run" "$1/disks/root" "$1/disks/data" "$1/cache/sha256" "$1/work" "$1/seed" "$1/tls"
  : > "$1/termination"
}
with_base() { # DIR: the tiny guest in the cache, as `fetch` leaves it
  if [ ! -e "$all/tiny/digest" ]; then
    mkdir -p "$all/tiny"
    id=$(docker create "$tiny" -)
    docker cp "$id:/disk/disk.qcow2" "$all/tiny/disk"
    docker rm "$id" >/dev/null
    chmod 444 "$all/tiny/disk"
    sha256sum < "$all/tiny/disk" | cut -d ' ' -f 1 > "$all/tiny/digest"
  fi
  cp "$all/tiny/digest" "$1/work/digest-root"
  ln -f "$all/tiny/disk" "$1/cache/sha256/$(cat "$all/tiny/digest")"
}
the_cd() { # the tiny guest's CD, as $all/tiny/cd
  [ ! -e "$all/tiny/cd" ] || return 0
  id=$(docker create "$tiny" -)
  docker cp "$id:/disk/tiny.iso" "$all/tiny/cd"
  docker rm "$id" >/dev/null
  chmod 444 "$all/tiny/cd"
}
certificates() { # in $all/tls
  [ ! -e "$all/tls/server-cert.pem" ] || return 0
  mkdir -p "$all/tls"
  (
    cd "$all/tls" || exit
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test -days 2 \
      -keyout ca-key.pem -out ca-cert.pem 2>/dev/null
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=vm -keyout server-key.pem -out request 2>/dev/null
    printf 'subjectAltName=DNS:localhost\n' > extensions
    openssl x509 -req -in request -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile extensions -out server-cert.pem 2>/dev/null
    chmod 644 ./*
  )
}
volumes() { # DIR
  echo "-v $1/run:/run/vm -v $1/disks/root:/disks/root -v $1/disks/data:/disks/data -v $1/cache:/cache:ro -v $1/work:/handover:ro
    -v $1/seed:/seed:ro -v $1/tls:/tls:ro -v $1/termination:/dev/termination-log"
}
# QEMU's command line as the operator builds it
machine() { # FURTHER-MACHINE-OPTIONS MEMORY
  echo "-name guest=test,debug-threads=on -nodefaults -no-user-config
    -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
    -machine pc-q35-10.0,memory-backend=ram0$1 -smp 1 -m ${2:-128M} -object memory-backend-memfd,id=ram0,size=${2:-128M},share=on
    -display none -action reboot=reset,shutdown=poweroff,panic=exit-failure,watchdog=reset
    -device pvpanic-pci,id=pvpanic -device pcie-root-port,id=rp1,chassis=1,slot=1 -device pcie-root-port,id=rp2,chassis=2,slot=2
    -object tls-creds-x509,id=tls0,dir=/tls,endpoint=server,verify-peer=yes -object authz-simple,id=az0,identity=CN=vm-operator
    -chardev socket,id=qmp0,host=0.0.0.0,port=7000,server=on,wait=off,tls-creds=tls0,tls-authz=az0 -mon chardev=qmp0,mode=control
    -chardev socket,id=qmp1,host=0.0.0.0,port=7001,server=on,wait=off,tls-creds=tls0,tls-authz=az0 -mon chardev=qmp1,mode=control
    -qmp unix:/run/vm/qmp.sock,server=on,wait=off
    -chardev file,id=events,path=/run/vm/events.jsonl,append=on,input-path=/run/vm/qmp-init.json -mon chardev=events,mode=control
    -chardev stdio,id=console,signal=off -serial chardev:console
    -device virtio-serial-pci,id=virtio-serial -chardev ringbuf,id=report,size=65536
    -device virtserialport,id=report,bus=virtio-serial.0,nr=1,chardev=report,name=dev.qemu-operator.report"
}
disk_device() { # NAME FURTHER
  echo "-blockdev {\"driver\":\"qcow2\",\"node-name\":\"$1\",\"discard\":\"unmap\",\"file\":{\"driver\":\"file\",\"filename\":\"/disks/$1/disk.qcow2\"}}
    -device virtio-blk-pci,id=disk-$1,drive=$1,serial=$1$2"
}
nic='-netdev tap,id=net0,ifname=tap0,script=no,downscript=no -device virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:12:34:56,romfile='
seed_blockdev='-blockdev {"driver":"raw","node-name":"seed","read-only":true,"file":{"driver":"vvfat","dir":"/run/vm/seed","label":"cidata","fat-type":16,"rw":false,"read-only":true}}'
firmware='-blockdev driver=file,node-name=code,filename=/usr/share/OVMF/OVMF_CODE_4M.fd,read-only=on
  -blockdev driver=qcow2,node-name=vars,file.driver=file,file.filename=/disks/root/uefi-vars.qcow2'

pod() { # the container that holds a pod's network namespace; its id
  # shellcheck disable=SC2086 # words
  start $privileged --entrypoint sleep "$runner" infinity
}
takes_any_sender() { # POD: what a test sends is stopped by the rules, and not by the kernel's reverse path filter
  docker exec "$1" sh -c 'for setting in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $setting; done'
}
vm() { # DIR POD DOCKER-OPTIONS -- WRAPPER-OPTIONS -- QEMU-ARGUMENTS: all words; the container's id
  certificates
  cp "$all"/tls/ca-cert.pem "$all"/tls/server-*.pem "$1/tls/"
  dir=$1 pod=$2 options=
  shift 2
  while [ "$1" != -- ]; do options="$options $1"; shift; done
  shift
  # shellcheck disable=SC2086,SC2046 # words
  start -i $options $privileged --network "container:$pod" $(volumes "$dir") "$runner" "$@"
}
shared_vm() { # one running guest with everything, for the tests that change nothing: sets $vm, $pod, $node, $host, $other
  if [ ! -e "$all/shared/vm" ]; then
    directories "$all/shared"
    with_base "$all/shared"
    printf 'instance-id: first\n' > "$all/shared/seed/meta-data"
    printf '#cloud-config\n' > "$all/shared/seed/user-data"
    for neighbour in node host other; do
      start --entrypoint sh "$runner" -c 'mkdir /www; echo here > /www/index.html
        for port in 8080 10250 10255; do busybox httpd -h /www -p $port; done; exec sleep infinity' > "$all/shared/$neighbour"
    done
    pod > "$all/shared/pod"
    docker exec "$(cat "$all/shared/pod")" ip route replace default via "$(address "$(cat "$all/shared/node")")"
    # shellcheck disable=SC2046,SC2086 # words
    vm "$all/shared" "$(cat "$all/shared/pod")" -t -e QEMU_OPERATOR_HOST_IP="$(address "$(cat "$all/shared/host")")" -- \
      --accelerator=TCG --translation-cache=48 --cpu=host --disk=root:overlay:0 --disk=data:blank:16777216 --nat=52:54:00:12:34:56 --grace-seconds=30 \
      --seed-device=virtio-blk-pci,id=disk-seed,drive=seed -- \
      $(machine '') $(disk_device root ,bootindex=1) $(disk_device data '') $nic $seed_blockdev > "$all/shared/vm"
  fi
  vm=$(cat "$all/shared/vm") pod=$(cat "$all/shared/pod") node=$(cat "$all/shared/node")
  host=$(cat "$all/shared/host") other=$(cat "$all/shared/other")
  ready "$vm"
}
ready() { # VM: until the guest is at its shell
  docker logs "$1" 2>&1 | grep -q TINY-READY || within 180 'the guest at its shell' console_shows "$1" TINY-READY
}
console_shows() { docker logs "$1" 2>&1 | grep -F "$2"; }
guest() { # VM TEXT: runs TEXT in the guest
  docker exec "$1" wget -q -O - --tries=1 --timeout=20 --post-data="$2" http://10.0.2.15/cgi-bin/exec
}
opens() { # ADDRESS PORT: from the guest $vm, whose nc has no -z
  [ "$(guest "$vm" "nc -w 2 $1 $2 -e true && echo open")" = open ]
}
ended() { # VM EXIT-CODE: waits for its end
  same 'exit code' "$2" "$(timeout 120 docker wait "$1")"
}
qemu_of() { # VM: the process id of QEMU, in the container
  docker exec "$1" pidof qemu-system-x86_64
}
message() { # DIR: the termination message, checked: whole JSON lines, at most 4096 bytes
  [ "$(wc -c < "$1/termination")" -le 4096 ] || fail 'the termination message is too long'
  python3 -c 'import json, sys
for line in open(sys.argv[1], newline="\n"):
    assert line.endswith("\n") and "\r" not in line, line
    json.loads(line)' "$1/termination"
  cat "$1/termination"
}
stopped_by() { # DIR STEPS: the ladder of the termination message, whose times do not run backwards
  same 'stop ladder' "$2" "$(message "$1" | sed -n 's/.*"event":"STOP_STEP","data":{"step":"\([A-Za-z]*\)"}.*/\1/p' | tr '\n' ' ' | sed 's/ $//')"
  python3 - "$1/termination" "$(date +%s)" <<'P'
import json, sys
steps = [line for line in map(json.loads, open(sys.argv[1])) if line["event"] == "STOP_STEP"]
times = [step["timestamp"]["seconds"] + step["timestamp"]["microseconds"] / 1e6 for step in steps]
assert times == sorted(times) and all(0 <= int(sys.argv[2]) - int(time) < 120 for time in times), times
P
}
lasted() { # FROM-MILLISECONDS TO-MILLISECONDS SINCE-NANOSECONDS
  milliseconds=$((($(date +%s%N) - $3) / 1000000))
  { [ $milliseconds -ge "$1" ] && [ $milliseconds -lt "$2" ]; } || fail "it took $milliseconds ms, not $1 to $2"
}
wrapper_said() { # DIR ACCELERATOR SIGNAL CODE
  same 'last line' "{\"event\":\"WRAPPER\",\"data\":{\"accelerator\":$2,\"signal\":$3,\"exitCode\":$4}}" "$(message "$1" | tail -n 1)"
}
gave_up() { # DIR REASON DISK
  message "$1" > "$test/message"
  has "$test/message" "{\"event\":\"WRAPPER_FAILED\",\"data\":{\"reason\":\"$2\",\"disk\":\"$3\",\"message\":\""
}

# --- a LAN ---

in_network_of() { echo "/host/proc/$(docker inspect -f '{{.State.Pid}}' "$1")/ns/net"; } # CONTAINER: its network namespace, in what has /proc of the machine
lan_node() { # a container that plays the node, with the bridge br0; sets $node
  # shellcheck disable=SC2086 # words
  node=$(start $privileged -v /proc:/host/proc:ro --entrypoint sleep "$runner" infinity)
  docker exec "$node" ip link add br0 address 02:00:00:00:00:01 mtu 1500 type bridge
  docker exec "$node" ip link set br0 up
}
lan_host() { # ADDRESS/PREFIX...: a host on the LAN; its container id
  # shellcheck disable=SC2086 # words
  id=$(start $privileged --network none --entrypoint sleep "$runner" infinity)
  docker exec "$node" ip link add host%d type veth peer name eth1 netns "$(in_network_of "$id")"
  docker exec "$node" sh -c 'for host in /sys/class/net/host*; do ip link set "${host##*/}" master br0 up; done'
  docker exec "$id" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/eth1/disable_ipv6'
  docker exec "$id" ip link set eth1 up
  for address; do docker exec "$id" ip addr add "$address" dev eth1; done
  echo "$id"
}
mac_of() { docker exec "$1" cat /sys/class/net/eth1/address; } # LAN-HOST
as_node() { # docker's options for a pod on $node
  echo "-v /proc:/host/proc:ro -e NODE=n1 -e NODE_NETWORK=$(in_network_of "$node")"
}
of_node() { # what it has in its network namespace
  docker exec "$node" sh -c 'ip -o link; ip addr; ip -4 route show table all; ip -6 route show table all; nft list ruleset' |
    sed 's/ *valid_lft.*//'
}
