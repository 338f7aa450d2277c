#!/bin/sh
# build.sh KERNEL OUT: an unpacked kernel package becomes OUT/disk.qcow2, which boots from BIOS (syslinux) and UEFI (systemd-boot), and
# OUT/tiny.iso, which boots from both (GRUB) as installers do.
set -eu
kernel=$1 out=$2 src=$(dirname "$0") work=$(mktemp -d)
version=$(ls "$kernel"/usr/lib/modules 2>/dev/null || ls "$kernel/lib/modules")
[ -e "$kernel/lib" ] || ln -s usr/lib "$kernel/lib"
depmod -b "$kernel" "$version"
root=$work/root
mkdir -p "$out" "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/etc" "$root/tmp" "$root/disk" "$root/www" "$root/lib/modules/$version"
cp /bin/busybox "$root/bin/"
ln -s busybox "$root/bin/sh"
for module in virtio_pci virtio_net virtio_blk virtio_console virtio_balloon virtio_mem virtio_rng virtio_scsi sd_mod sr_mod ahci isofs virtiofs \
    pvpanic-pci button evdev vfat nls_cp437 nls_ascii nls_iso8859-1 overlay bridge 8021q veth tun nf_tables; do
  for file in $(modprobe -d "$kernel" -S "$version" --show-depends $module 2>/dev/null | awk '/^insmod/ {print $2}'); do
    to=$root/lib/modules/$version/$(basename "$file" .xz)
    case $file in *.xz) xz -dc "$file" > "$to";; *) cp "$file" "$to";; esac     # busybox can't read .ko.xz
  done
done
cp "$kernel/lib/modules/$version"/modules.builtin* "$kernel/lib/modules/$version/modules.order" "$root/lib/modules/$version/"
depmod -b "$root" "$version"
install -m 755 "$src/init" "$root/init"
install -m 755 "$src/dhcp" "$root/etc/dhcp"
install -m 755 "$src/disk" "$src/get" "$root/bin/"
install -D -m 755 "$src/exec.cgi" "$root/www/cgi-bin/exec"
install -D -m 755 "$src/page.cgi" "$root/etc/page"
ln -s ../../etc/page "$root/www/cgi-bin/index.cgi"
echo '<!-- made by /etc/page -->' > "$root/www/index.html"
printf 'I:none\n*.html:/etc/page\n' > "$root/etc/httpd.conf"
(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -9) > "$work/initrd.gz"

args='console=tty0 console=ttyS0,115200 quiet panic=1'
printf 'DEFAULT tiny\nPROMPT 0\nTIMEOUT 1\nLABEL tiny\n KERNEL /vmlinuz\n INITRD /initrd.gz\n APPEND %s\n' "$args" > "$work/syslinux.cfg"
printf 'timeout 0\n' > "$work/loader.conf"
printf 'title tiny\nlinux /vmlinuz\ninitrd /initrd.gz\noptions %s\n' "$args" > "$work/tiny.conf"
truncate -s 40M "$work/disk"
mkfs.vfat -F 32 -n TINY "$work/disk" >/dev/null
mmd -i "$work/disk" ::EFI ::EFI/BOOT ::loader ::loader/entries
mcopy -i "$work/disk" "$kernel/boot/vmlinuz-$version" ::vmlinuz
mcopy -i "$work/disk" "$work/initrd.gz" "$work/syslinux.cfg" ::
mcopy -i "$work/disk" /usr/lib/systemd/boot/efi/systemd-bootx64.efi ::EFI/BOOT/BOOTX64.EFI
mcopy -i "$work/disk" "$work/loader.conf" ::loader/loader.conf
mcopy -i "$work/disk" "$work/tiny.conf" ::loader/entries/tiny.conf
syslinux --install "$work/disk"
qemu-img convert -O qcow2 -c -o compression_type=zstd "$work/disk" "$out/disk.qcow2"
mkdir -p "$work/iso/boot/grub"
cp "$kernel/boot/vmlinuz-$version" "$work/iso/vmlinuz"
cp "$work/initrd.gz" "$work/iso/"
printf 'linux /vmlinuz %s\ninitrd /initrd.gz\nboot\n' "$args tiny.from=cdrom" > "$work/iso/boot/grub/grub.cfg"
maps=$(cd /usr/lib/grub/x86_64-efi && echo part_*.mod | sed 's/\.mod//g')   # GRUB complains about each that is not there
grub-mkrescue -o "$out/tiny.iso" --fonts= --locales= --themes= --install-modules="normal linux iso9660 fat $maps" -volid TINY-CD "$work/iso"
ls -l "$out/tiny.iso" "$work/initrd.gz" "$kernel/boot/vmlinuz-$version" "$out/disk.qcow2"
rm -rf "$work"
