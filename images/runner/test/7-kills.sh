# shellcheck shell=sh disable=SC2154,SC2046,SC2086 # the variables of `run`; words
# What is killed -9 at any moment, and then done again, comes out right. Moments and all else that is drawn follow from a seed alone; each
# round has its own, the next number: `SEED=17 ROUNDS=1` does again the round that says `seed 17`.
: "${SEED:=1}" "${ROUNDS:=4}"
draw() { # WHAT FROM TO: a number, for the same WHAT of the same test and seed the same
  echo $(($2 + 0x$(echo "$seed $name $1" | sha256sum | cut -c 1-7) % ($3 - $2 + 1)))
}
rounds() { # NTH COMMAND: for each NTH round
  seed=$SEED
  while [ $seed -lt $((SEED + ROUNDS)) ]; do
    "$2"
    seed=$((seed + $1))
  done
}
log() { echo "seed $seed: $*"; }
box() { # IMAGE: a container in which everything can be killed but PID 1, which does nothing; sets $box
  directories "$test"
  docker run --rm -v "$test/work:/handover" --entrypoint /usr/lib/qemu-operator/tools "$runner"
  ln -s busybox "$test/work/sleep"
  # PID 1 is a shell because that buries its dead
  box=$(start --network host $(volumes "$test" | sed 's/:ro//g') -v "$test:/test" -v "$here/kill-at:/kill-at:ro" -v "$here/follow-orders:/follow-orders:ro" -e CACHE=/cache \
    -e FAILURE=/handover/failure -e PATH=/usr/sbin:/usr/bin:/handover --entrypoint /handover/busybox "$1" sh -c 'while :; do sleep 1000; done')
}
in_box() { docker exec -e HANDOVER="/handover/${pod:-}" "$box" "$@"; }
undisturbed() { # COMMAND...: to its own end, whatever it left running
  in_box busybox sh -c '"$@" > /test/said 2>&1' sh "$@" || { cat "$test/said"; fail "it failed, though nothing was killed: $*"; }
}
measured() { # COMMAND...: undisturbed; sets $length, its milliseconds, without docker's own
  undisturbed busybox sh -ec 'read -r began _ < /proc/uptime; "$@"; read -r ended _ < /proc/uptime; echo "$began $ended" > /test/lasted' sh "$@"
  length=$(awk '{lasted = ($2 - $1) * 1000; print lasted < 30 ? 30 : int(lasted)}' "$test/lasted") # that clock is coarse
}
disturbed() { # COMMAND...: to its own end, whatever it left running
  in_box busybox sh -c '"$@" > /test/said 2>&1' sh "$@" || { cat "$test/said"; fail "it failed, though nothing was killed: $*"; }
}
measured() { # COMMAND...: undisturbed; sets $length, its milliseconds, without docker's own
  began=$(date +%s%N)
  in_box busybox true
  first=$(date +%s%N)
  undisturbed "$@"
  length=$((($(date +%s%N) - 2 * first + began) / 1000000))
}
disturbed() { # WHAT COMMAND...: all of it is killed, or in one of three cases, unless $together, a single process, at a moment that is drawn
  what=$1 moment=$(draw "$1: moment" 0 $length) victim=all ended=0
  shift
  [ -n "${together:-}" ] || [ "$(draw "$what: one" 1 3)" != 1 ] || victim=$(draw "$what: which" 0 99)
  hit=$(in_box busybox sh /kill-at $moment $victim "$@" 2> "$test/said") || ended=$?
  log "$what: after $moment of $length ms $hit; it ended with $ended"
}
sound() { # FILE: leaks are allowed
  code=0
  in_box qemu-img check -q "$1" || code=$?
  [ $code = 0 ] || [ $code = 3 ] || fail "qemu-img check of $1 ended with $code"
}
size_of() { in_box qemu-img info --output=json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["virtual-size"])'; }

# --- into the node's cache ---

next_pod() { # with a handover of its own, as of another VM; an hour later
  pod=pod-$((${pod#pod-} + 1))
  mkdir -p "$test/work/$pod"
  ln -f "$test/work/busybox" "$test/work/$pod/busybox"
  find "$test/cache" -name 'partial-copy-*' -exec touch -d '2 hours ago' {} \;
}
fresh_cache() {
  rm -rf "$test"/cache/* "$test"/work/pod-*
  pod=''
  next_pod
}
nothing_lies() { # what has its final name is whole, and what was handed over is there
  for file in "$test"/cache/sha256/*; do
    [ -e "$file" ] || continue
    same 'file of the cache' "$digest 444" "${file##*/} $(stat -c %a "$file")"
    if [ -n "$converted" ]; then
      undisturbed qemu-img compare -f raw -F qcow2 /test/plain "/cache/sha256/$digest"
    else
      cmp "$published" "$file"
    fi
  done
  for file in "$test"/work/pod-*/digest-root; do
    [ ! -e "$file" ] || { same 'digest handed over' "$digest" "$(cat "$file")"; [ -e "$test/cache/sha256/$digest" ] || fail 'no such file'; }
  done
}
cache_round() {
  fresh_cache
  kill=0
  while [ $kill -lt "$(draw kills 1 3)" ]; do
    kill=$((kill + 1)) now=$from
    # a mirror that has something else; what came of it must not get into the file of the right one
    [ -z "$wrong" ] || [ "$(draw "wrong $kill" 1 4)" != 1 ] || now=$wrong
    disturbed "kill $kill, $pod from ${now##*/}" $command "$now"
    nothing_lies
    [ $ended != 0 ] || break                          # it came to its end
    [ "$(draw "pod $kill" 0 1)" = 0 ] || next_pod
  done
  undisturbed $command "$from"
  nothing_lies
  same 'digest handed over' "$digest" "$(cat "$test/work/$pod/digest-root")"
  has "$test/termination" "{\"event\":\"BASE_IMAGE\",\"data\":{\"disk\":\"root\",\"digest\":\"sha256:$digest\""
  same 'partial files' '' "$(find "$test/cache" -name 'partial-*')"
}
downloads_are_killed() { # of $test/www/file, which a VM can use as it is, or which is $converted
  serve
  published=$test/www/file command="/usr/lib/qemu-operator/download root sha256:$digest" from=$url/steady wrong=$url/steady-wrong
  fresh_cache
  measured $command "$from"
  rounds $1 cache_round
}
plain() { # in $test/plain
  head -c 24000000 /dev/urandom > "$test/plain"
  truncate -s 40M "$test/plain"
  mkdir -p "$test/www"
}
kill_9_while_downloading() { # test
  box "$runner"
  plain
  undisturbed qemu-img convert -O qcow2 /test/plain /test/www/file
  converted=
  downloads_are_killed 2
}
kill_9_while_downloading_decompressing_and_converting() { # test
  box "$runner"
  plain
  undisturbed qemu-img convert -O vmdk /test/plain /test/vmdk
  undisturbed zstd -q -1 /test/vmdk -o /test/www/file
  converted=yes
  downloads_are_killed 1
}
kill_9_while_fetching() { # test
  box "$tiny"
  published=$test/file converted='' wrong='' from=/test/file command='/handover/busybox sh /handover/fetch root image'
  head -c 40000000 /dev/urandom > "$published"
  digest=$(sha256sum < "$published" | cut -d ' ' -f 1)
  fresh_cache
  measured $command "$from"
  rounds 1 cache_round
}

# --- a disk ---

kill_9_while_making_and_growing_disks() { # test
  box "$runner"
  with_base "$test"
  base=/cache/sha256/$(cat "$all/tiny/digest")
  truncate -s 1M "$test/nothing"
  measured /usr/lib/qemu-operator/disk root overlay 67108864
  rounds 1 disk_round
}
same_as_its_source() {
  case $kind in
    overlay)
      in_box qemu-img info "/disks/root/$file" > "$test/info"
      has "$test/info" "backing file: $base"
      undisturbed qemu-img compare "/disks/root/$file" "$base";;
    blank) undisturbed qemu-img compare -F raw "/disks/root/$file" /test/nothing;;
    uefi) undisturbed qemu-img compare -F raw "/disks/root/$file" /usr/share/OVMF/OVMF_VARS_4M.fd;;
  esac
}
disk_round() {
  rm -f "$test"/disks/root/*
  file=disk.qcow2 bytes=67108864 larger=$(($(draw larger 131073 2097152) * 512))
  kind=$(echo overlay overlay blank uefi | cut -d ' ' -f "$(draw kind 1 4)")
  [ $kind != uefi ] || file=uefi-vars.qcow2
  for bytes in $bytes $larger; do
    [ $kind:$bytes != uefi:$larger ] || break
    kill=0
    while [ $kill -lt "$(draw "kills $bytes" 1 2)" ]; do
      kill=$((kill + 1))
      disturbed "kill $kill of $kind $bytes" /usr/lib/qemu-operator/disk root $kind $bytes
      [ ! -e "$test/disks/root/$file" ] || { sound "/disks/root/$file"; same_as_its_source; }
      [ $ended != 0 ] || break
    done
    undisturbed /usr/lib/qemu-operator/disk root $kind $bytes
    sound "/disks/root/$file"
    same_as_its_source
    [ $kind = uefi ] || same size $bytes "$(size_of "/disks/root/$file")"
    same files $file "$(ls "$test/disks/root")"
  done
}

# --- QEMU ---

# What the operator says: the base is copied in the background, which has to end before the disk can grow. In the end QEMU would
# write the header that names no base before the tables that say where the copy is: killed in between, the disk has lost what came from the
# base. So it waits for `job-finalize`, and what it has in its memory goes to the file first.
order() { echo "{\"execute\":\"$1\",\"id\":\"$2\",\"arguments\":$3}"; } # COMMAND ID ARGUMENTS
copy() { order block-stream copy "{\"job-id\":\"copy-root\",\"device\":\"disk-root\",\"speed\":$1,\"auto-finalize\":false}"; } # BYTES-PER-SECOND
flush() { order human-monitor-command flush-0 '{"command-line":"qemu-io disk-root flush"}'; }
finalize() { order job-finalize finalize '{"id":"copy-root"}'; }
grow() { # BYTES
  order block-job-cancel cancel '{"device":"copy-root"}'
  echo pause
  order block_resize "size-$1" "{\"node-name\":\"disk-root\",\"size\":$1}"
}
root_blockdev=driver=qcow2,node-name=disk-root,discard=unmap,detect-zeroes=unmap,file.driver=file,file.aio=threads,file.discard=unmap,file.filename=/disks/root/disk.qcow2
answered() { grep -qE "^\{\"return\": (\{\}|\"\"), \"id\": \"$1\"\}" "$test/answers"; } # ID: done, not refused
smallest=67108864 largest=92274688                          # bytes of the disk

kill_9_of_qemu_while_it_copies_and_grows() { # test
  box "$runner"
  with_base "$test"
  base=/cache/sha256/$(cat "$all/tiny/digest") seed=0 together=yes
  command="sh /follow-orders /test/orders /test/answers $root_blockdev"
  undisturbed qemu-img convert -O raw "$base" /test/base
  undisturbed /usr/lib/qemu-operator/disk root overlay $smallest
  work
  measured $command
  rounds 1 qemu_round
}
write() { # NUMBER, of which the sectors are full then
  at=$(($1 * 8192 + $(draw "at $1" 0 4096))) count=$(draw "sectors $1" 1 2048)
  echo "$1 $at $count" >> "$test/writes"
  for command_line in "write -P $1 $((at * 512)) $((count * 512))" flush; do
    order human-monitor-command "${command_line%% *}-$1" "{\"command-line\":\"qemu-io disk-root \\\"$command_line\\\"\"}"
  done
}
work() {
  : > "$test/writes"
  number=0 size=$smallest
  {
    order qmp_capabilities '' '{}'
    while [ $size -lt $largest ]; do
      copy $(($(draw "speed $size" 2 16) << 20))
      for _ in 1 2 3 4; do
        number=$((number + 1))
        write $number
      done
      size=$((size + 8388608))
      grow $size
    done
    copy $((8 << 20))
    echo pause
    order quit quit '{}'
  } > "$test/orders"
}
copy_the_rest() {
  {
    order qmp_capabilities '' '{}'
    copy $1
    echo pending
    flush
    finalize
    echo copied
    order quit quit '{}'
  } > "$test/orders"
}
qemu_round() {
  rm -f "$test"/disks/root/*
  undisturbed /usr/lib/qemu-operator/disk root overlay $smallest
  work
  disturbed "QEMU at work" $command
  sound /disks/root/disk.qcow2
  has_grown_to=$smallest acknowledged=0
  for size in 75497472 83886080 $largest; do ! answered size-$size || has_grown_to=$size; done
  while answered flush-$((acknowledged + 1)); do acknowledged=$((acknowledged + 1)); done
  size=$(size_of /disks/root/disk.qcow2)
  [ "$size" -ge $has_grown_to ] || fail "it had grown to $has_grown_to bytes and has $size"
  undisturbed /usr/lib/qemu-operator/disk root overlay $largest
  if [ "$(draw again 0 1)" = 1 ]; then
    copy_the_rest $((16 << 20))
    disturbed 'QEMU copying the rest' $command
    sound /disks/root/disk.qcow2
  fi
  copy_the_rest 0
  undisturbed $command
  sound /disks/root/disk.qcow2
  stands_alone
  same size $largest "$(size_of /disks/root/disk.qcow2)"
  undisturbed qemu-img convert -O raw /disks/root/disk.qcow2 /test/content
  expected
  cmp "$test/expected" "$test/content"
  log "$acknowledged of $(wc -l < "$test/writes") writes were acknowledged, and are there"
}
kill_9_of_qemu_before_its_disk_stands_alone_finds_all_of_the_base_in_it() { # test
  box "$runner"
  with_base "$test"
  base=/cache/sha256/$(cat "$all/tiny/digest")
  undisturbed /usr/lib/qemu-operator/disk root overlay $smallest
  {
    order qmp_capabilities '' '{}'
    copy 0
    echo pending
    flush
    echo held
  } > "$test/orders"
  in_box sh /follow-orders /test/orders /test/answers $root_blockdev & following=$!
  within 30 'the copy' test -e "$test/answers.held"
  within 5 'its flush' answered flush-0
  in_box sh -c 'kill -9 -1'
  wait $following || true
  undisturbed qemu-img rebase -u -b '' /disks/root/disk.qcow2
  undisturbed qemu-img compare /disks/root/disk.qcow2 "$base"
}
stands_alone() {
  in_box qemu-img info /disks/root/disk.qcow2 > "$test/info"
  lacks "$test/info" 'backing file'
}
expected() { # the base, with each write that was acknowledged; the one at which QEMU was killed may be there or not
  cp "$test/base" "$test/expected"
  truncate -s $largest "$test/expected"
  while read -r number at count; do
    if [ "$number" -le $acknowledged ]; then
      head -c $((count * 512)) /dev/zero | tr '\0' "\\$(printf %03o "$number")" | dd bs=512 seek="$at" conv=notrunc of="$test/expected" status=none
    elif [ "$number" = $((acknowledged + 1)) ]; then
      dd bs=512 skip="$at" seek="$at" count="$count" conv=notrunc if="$test/content" of="$test/expected" status=none
    fi
  done < "$test/writes"
}

kill_9_of_qemu_under_a_guest_that_writes() { # test
  box "$runner"
  with_base "$test"
  rounds 4 guest_round
}
boot() { # BYTES: sets $vm
  vm=$(vm "$test" "$network" -- --accelerator=TCG --cpu=host --disk=root:overlay:$1 --nat=52:54:00:12:34:56 -- \
    $(machine '') -blockdev $root_blockdev -device virtio-blk-pci,id=disk-root,drive=disk-root,serial=root,bootindex=1,werror=stop $nic)
  ready "$vm"
}
tell() { # stdin: orders; the answers are in $test/answers
  while read -r line; do
    case $line in pause) sleep 0.3;; *) echo "$line"; sleep 0.1;; esac
  done | docker exec -i "$vm" nc.openbsd -N -U /run/vm/qmp.sock > "$test/answers" 2>&1
}
files_are_right() {
  guest "$vm" 'cd /disk && sha256sum file-*' | sed 's/\([0-9a-f]*\) *\(.*\)/\2 \1/' > "$test/there"
  while read -r line; do has "$test/there" "$line"; done < "$test/synced"
}
pending() {
  { order qmp_capabilities '' '{}'; order query-jobs jobs '{}'; } | tell
  grep -q '"status": "pending"' "$test/answers"
}
copied() {
  { order qmp_capabilities '' '{}'; order query-named-block-nodes nodes '{"flat":true}'; } | tell
  grep -q '"id": "nodes"' "$test/answers" && ! grep -q '"backing-filename"' "$test/answers"
}
guest_round() {
  rm -f "$test"/disks/root/*
  network=$(pod)
  boot $smallest
  # a line is on the console only after its file is on the disk, with the directory, and the disk's own cache is flushed
  guest "$vm" '(n=0
    while [ $n -lt 150 ]; do
      n=$((n + 1))
      dd if=/dev/urandom of=/disk/file-$n bs=32k count=4 2>/dev/null
      sync
      dd if=/dev/zero of=/disk/flush bs=1 count=1 conv=fsync 2>/dev/null
      echo "SYNCED file-$n $(sha256sum < /disk/file-$n | cut -c 1-64) ." > /dev/console
    done) > /dev/null 2>&1 &'
  { order qmp_capabilities '' '{}'; copy 2097152; echo pause; grow $largest; copy $(($(draw speed 2 6) << 20)); echo pause; } | tell & telling=$!
  moment=$(draw moment 200 5000)
  sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
  what=$(echo QEMU,its container | cut -d , -f "$(draw what 1 2)")
  if [ "$what" = QEMU ]; then docker exec "$vm" sh -c "kill -9 $(qemu_of "$vm")"; else docker kill -s KILL "$vm"; fi
  ended "$vm" 137
  wait $telling || true
  docker logs "$vm" 2>&1 | sed -n 's/.*SYNCED \(file-[0-9]*\) \([0-9a-f]\{64\}\) \..*/\1 \2/p' > "$test/synced"
  log "after $moment ms $what; $(wc -l < "$test/synced") files were synced"
  sound /disks/root/disk.qcow2
  ! answered size-$largest || same size $largest "$(size_of /disks/root/disk.qcow2)"
  boot $largest
  files_are_right
  { order qmp_capabilities '' '{}'; copy 0; } | tell
  within 60 'all copied' pending
  { order qmp_capabilities '' '{}'; flush; finalize; } | tell
  within 60 'a disk that stands alone' copied
  files_are_right
  docker kill -s KILL "$vm" "$network"
  ended "$vm" 137
  sound /disks/root/disk.qcow2
  stands_alone
}

# --- on a LAN ---

kill_9_of_pods_on_a_lan_leaves_the_node_as_it_was() { # test
  lan_node
  of_node > "$test/before"
  rounds 1 lan_round
}
lan_round() { # five pods at once, each killed three times: while it joins the LAN, while its guest boots, and when that runs
  lives=
  for number in 1 2 3 4 5; do life & lives="$lives $!"; done
  for life in $lives; do wait "$life" || fail 'one of the pods, see above'; done
  gone() { of_node > "$test/after"; diff "$test/before" "$test/after"; }
  within 5 'the same as before, on the node' gone
}
life() { # of the pod $number
  dir=$test/$seed-$number
  directories "$dir"
  with_base "$dir"
  pod=$(pod)
  killed joining 0 400
  killed booting 400 4000
  killed running 0 2000
  docker kill -s KILL "$pod" > /dev/null
  docker rm -fv "$pod" > /dev/null
}
killed() { # WHEN FROM TO: after so many milliseconds, of its start or of its guest's prompt
  vm=$(vm "$dir" "$pod" $(as_node) -- --accelerator=TCG --cpu=host --disk=root:overlay:0 --nat=52:54:00:12:34:56 \
    --bridge=name=home,tap=tap1,bridge=br0,address=192.168.86.5$number -- $(machine '' 96M) $(disk_device root ,bootindex=1) $nic \
    -netdev tap,id=lan,ifname=tap1,script=no,downscript=no -device virtio-net-pci,netdev=lan,mac=52:54:00:77:00:5$number,romfile=)
  [ "$1" != running ] || ready "$vm" > /dev/null
  moment=$(draw "$number $1: moment" "$2" "$3") what=all
  sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
  ports=$(docker exec "$node" ip -d -o link | grep -c "alias pod $(docker inspect -f '{{.Config.Hostname}}' "$pod"),") || true
  [ "$1" != running ] || [ "$(draw "$number $1: what" 0 1)" = 0 ] || what=QEMU
  case $what in
    QEMU) docker exec "$vm" sh -c "kill -9 $(qemu_of "$vm")";;
    *) docker kill -s KILL "$vm" > /dev/null;;
  esac
  ended "$vm" 137
  log "pod $number, $1: $what after $moment ms, with $ports ports on the node"
  # the guest's, and the one by which the node's firewall is asked
  [ "$ports" -le 2 ] || fail 'the port of an earlier container is still there'
  [ "$1" != running ] || [ "$ports" = 1 ] || fail 'the guest is not on the LAN'
}
