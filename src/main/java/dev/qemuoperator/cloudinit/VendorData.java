package dev.qemuoperator.cloudinit;

import java.util.List;

/**
 * The operator's own vendor-data:
 * https://cloudinit.readthedocs.io/en/latest/explanation/vendordata.html.
 *
 * <p>No login by password and no login as root unless somebody asks for it: a layer's vendor-data
 * is merged over these defaults, and cloud-init merges user-data over all vendor-data, so that
 * {@code ssh_pwauth: true} in either wins. That the default user's password is locked is
 * cloud-init's own default. A user who disables vendor-data ({@code vendor_data: {enabled: false}})
 * also disables the report, and with it what the VM's status says of the guest.
 *
 * <p>A change of these texts gives every VM a new instance-id, and so runs cloud-init again at its
 * next boot: not to be done for looks.
 */
final class VendorData {
  private VendorData() {}

  /** The origin under which users read of it. */
  static final String ORIGIN = "qemu-operator";

  private static final String DEFAULTS =
      """
      #cloud-config
      ssh_pwauth: false
      disable_root: true
      """;

  // A boothook runs at every boot and collides with no runcmd or bootcmd of the user. It is early:
  // what it leaves behind waits for the end of cloud-init. It also has to end at once, or it would
  // hold up the boot. Without the port (an image that has no virtio-console) it must not write a
  // file of that name into /dev.
  private static final String REPORT =
      """
      #cloud-boothook
      #!/bin/sh
      # Leaves a process behind that reports to the operator once cloud-init has ended.
      cat > /run/vm-report <<'R'
      #!/bin/sh
      port=/dev/virtio-ports/dev.qemu-operator.report
      until [ -s /run/cloud-init/result.json ]; do sleep 0.2; done
      [ -c "$port" ] || exit 0
      list() { sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g; s/.*/"&"/' | paste -sd, -; }
      . /etc/os-release
      printf '{"instanceId":"%s","hostname":"%s","os":"%s","kernel":"%s","uptime":%s,' \\
        "$(cat /var/lib/cloud/data/instance-id)" "$(uname -n)" "$PRETTY_NAME" "$(uname -r)" \\
        "$(cut -d' ' -f1 /proc/uptime)" > /run/vm-report.json
      printf '"hostKeys":[%s],"addresses":[%s],"result":%s}\\n' \\
        "$(cat /etc/ssh/ssh_host_*_key.pub | cut -d' ' -f1,2 | list)" \\
        "$(ip -o addr show scope global | awk '{print $4}' | list)" \\
        "$(tr -d '\\n' < /run/cloud-init/result.json)" >> /run/vm-report.json
      cat /run/vm-report.json > "$port"
      R
      if command -v systemd-run >/dev/null; then
        systemd-run --quiet --no-block --unit=vm-report /bin/sh /run/vm-report
      else
        setsid sh /run/vm-report </dev/null >/dev/null 2>&1 &
      fi
      """;

  /** In the order of sources, to be followed by a layer's. */
  static List<Part> parts() {
    return List.of(Part.of("text/cloud-config", DEFAULTS), Part.of("text/cloud-boothook", REPORT));
  }

  static String text() {
    return DEFAULTS + REPORT;
  }
}
