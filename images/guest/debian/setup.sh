#!/bin/sh
# Runs inside the guest's root file system (a docker build stage): turns it from a container into a machine.
set -eu
rm -f /etc/ssh/ssh_host_* /.dockerenv
: > /etc/machine-id
echo 'LABEL=root / ext4 errors=remount-ro,discard 0 1' > /etc/fstab

# the base image's apt settings belong to the builder, not to the guest
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/99* /etc/apt/apt.conf.d/docker-* /usr/sbin/policy-rc.d
cat > /etc/apt/sources.list.d/debian.sources <<'S'
Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp

Types: deb
URIs: http://security.debian.org/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp
S
echo 'update_initramfs=no' > /etc/initramfs-tools/update-initramfs.conf

echo 'policy: enabled' > /etc/cloud/ds-identify.cfg
printf 'PasswordAuthentication no\nPermitRootLogin no\n' > /etc/ssh/sshd_config.d/50-keys-only.conf

# the log outlives the boot (`journalctl -b -1`), at little cost: small, not compressed, written out once a minute
mkdir -p /var/log/journal /etc/systemd/journald.conf.d
cat > /etc/systemd/journald.conf.d/50-persistent.conf <<'J'
[Journal]
Storage=persistent
SystemMaxUse=32M
SystemMaxFileSize=8M
Compress=no
Seal=no
SyncIntervalSec=1min
J

systemctl enable systemd-networkd systemd-networkd-wait-online systemd-resolved ssh serial-getty@ttyS0 >/dev/null 2>&1
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-hwdb-update.service \
  systemd-journal-catalog-update.service systemd-update-done.service ldconfig.service systemd-pstore.service \
  systemd-binfmt.service proc-sys-fs-binfmt_misc.automount dev-mqueue.mount sys-fs-fuse-connections.mount \
  systemd-udev-load-credentials.service systemd-sysusers.service systemd-firstboot.service cloud-init-hotplugd.socket ssh.socket >/dev/null 2>&1
# cloud-init writes for systemd-networkd here (cloud.cfg); netplan and ifupdown are there to be chosen instead
systemctl mask networking >/dev/null 2>&1
systemctl set-default multi-user.target >/dev/null 2>&1
find /usr/share/doc -type f ! -name copyright -delete                # licences stay
rm -rf /usr/share/man/* /usr/share/locale/* /usr/share/i18n /usr/share/info/* \
  /usr/lib/x86_64-linux-gnu/perl*/5*/unicore/lib /var/cache/debconf/*-old
