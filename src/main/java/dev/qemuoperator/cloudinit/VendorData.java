package dev.qemuoperator.cloudinit;

import java.util.List;

/**
 * The operator's own vendor-data:
 * https://cloudinit.readthedocs.io/en/latest/explanation/vendordata.html.
 *
 * <p>No login by password and no login as root unless somebody asks for it: a layer's vendor-data
 * is merged over these defaults, and cloud-init merges user-data over all vendor-data, so that
 * {@code ssh_pwauth: true} in either wins. That the default user's password is locked is
 * cloud-init's own default.
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

  /** In the order of sources, to be followed by a layer's. */
  static List<Part> parts() {
    return List.of(Part.of("text/cloud-config", DEFAULTS));
  }

  static String text() {
    return DEFAULTS;
  }
}
