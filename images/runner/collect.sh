#!/bin/sh
# collect.sh ROOT: copies from this Debian to ROOT what a VM pod needs; fails if that is more than 90 MB.
set -eu
root=$1 limit=90000000
programs='/usr/bin/qemu-system-x86_64 /usr/bin/qemu-img /usr/bin/ip /usr/bin/bridge /usr/sbin/nft /usr/sbin/radvd /usr/bin/nsenter /usr/bin/nc.openbsd /usr/bin/setpriv
  /usr/bin/flock /usr/bin/wget /usr/bin/zstd /usr/bin/dd /usr/bin/dash /usr/bin/busybox'
data='/usr/share/seabios/bios-256k.bin /usr/share/seabios/vgabios-stdvga.bin /usr/share/qemu/kvmvapic.bin
  /usr/share/qemu/linuxboot_dma.bin /usr/share/qemu/pvh.bin /usr/share/OVMF/OVMF_CODE_4M.fd /usr/share/OVMF/OVMF_VARS_4M.fd
  /etc/ssl/certs/ca-certificates.crt'

# one /usr, as in Debian; only then do paths of packages, libraries and programs agree
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/etc" "$root/tmp" "$root/run/vm" \
  "$root/proc" "$root/sys" "$root/dev" "$root/var"
for dir in bin sbin lib lib64; do ln -s usr/$dir "$root/$dir"; done
ln -s ../run "$root/var/run"
chmod 1777 "$root/tmp"
printf 'root:x:0:0:root:/:/bin/sh\nqemu:x:107:107:QEMU:/run/vm:/bin/false\ndhcp:x:108:108:DHCP server:/:/bin/false\n' > "$root/etc/passwd"
printf 'root:x:0:\nqemu:x:107:\ndhcp:x:108:\n' > "$root/etc/group"

copied=$(mktemp)
take() { # FILE: to the same place, a symbolic link's target under the link's name
  file=$(readlink -f "$(dirname "$1")")/$(basename "$1")
  mkdir -p "$root$(dirname "$file")"
  cp -L "$file" "$root$file"
  echo "$file" >> "$copied"
  readlink -f "$file" >> "$copied"
}
for file in $programs; do
  [ -e "$file" ] || file=/sbin/$(basename "$file")
  take "$file"
  # a static program has no libraries: ldd fails, and that is all right
  ldd "$file" 2>/dev/null | grep -o '/[^ ]*' | sort -u | while read -r library; do
    [ -e "$root$library" ] || take "$library"
  done
done
for file in $data; do take "$file"; done

# what the programs above do not bring comes from busybox; wget, ip, nsenter and dd are the real ones
ln -s dash "$root/usr/bin/sh"
busybox --list | while read -r applet; do
  [ -e "$root/usr/bin/$applet" ] || [ -e "$root/usr/sbin/$applet" ] || [ "$applet" = nc ] || ln -s busybox "$root/usr/bin/$applet"
done
ln -s nc.openbsd "$root/usr/bin/nc"

# the licence of every package that a file came from
mkdir -p "$root/usr/share/doc"
sort -u "$copied" | while read -r file; do
  dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}" 2>/dev/null || true
done | sed 's/: .*//; s/, /\n/g' | sed 's/:.*//' | sort -u | while read -r package; do
  mkdir -p "$root/usr/share/doc/$package"
  cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
  dpkg-query -W -f '${Package} ${Version} (source ${source:Package})\n' "$package"
done > "$root/usr/share/doc/packages"
[ -s "$root/usr/share/doc/qemu-system-x86/copyright" ] || { echo 'no licence of QEMU collected' >&2; exit 1; }

size=$(find "$root" -type f -printf '%s\n' | awk '{sum += $1} END {print sum}')
echo "runner: $size bytes"
[ "$size" -le $limit ] || { echo "runner image: $size bytes, allowed are $limit" >&2; exit 1; }
