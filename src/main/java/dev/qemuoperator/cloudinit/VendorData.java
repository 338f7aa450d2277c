package dev.qemuoperator.cloudinit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * The operator's own vendor-data: secure defaults, and a script that reports the end of cloud-init.
 * See https://cloudinit.readthedocs.io/en/latest/explanation/vendordata.html.
 *
 * <p>No login by password and no login as root unless somebody asks for it: a layer's vendor-data
 * is merged over these defaults, and cloud-init merges user-data over all vendor-data, so that
 * {@code ssh_pwauth: true} in either wins. That the default user's password is locked is
 * cloud-init's own default.
 *
 * <p>The script is a boothook: it runs in every boot, collides with nothing of the user's, and
 * needs no first boot. So it does not count into the instance-id, and a new release of it does not
 * make cloud-init run again in every VM of the world. It does count into the seed's hash: that one
 * is the truth about the disk's content.
 *
 * <p>A change of the defaults gives every VM a new instance-id, and so runs cloud-init again at its
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

  private static final String REPORT = resource("report.sh");

  /** In the order of sources, to be followed by a layer's. */
  static List<Part> defaults() {
    return List.of(Part.of("text/cloud-config", DEFAULTS));
  }

  /** Tells the operator of the end of cloud-init, at each boot. */
  static List<Part> report() {
    return List.of(Part.of("text/cloud-boothook", REPORT));
  }

  static String text() {
    return DEFAULTS + REPORT;
  }

  private static String resource(String name) {
    try (InputStream file = VendorData.class.getResourceAsStream(name)) {
      return new String(file.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
