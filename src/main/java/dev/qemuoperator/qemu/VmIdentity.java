package dev.qemuoperator.qemu;

import dev.qemuoperator.api.Disk;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Who a virtual machine is.
 *
 * @param uid metadata.uid, a UUID; also the SMBIOS UUID that the guest sees
 */
public record VmIdentity(String namespace, String name, String uid) {

  /** Name of the claim of a disk that is on one. */
  public String claimOf(Disk disk) {
    return disk.storage().existing().orElse(name + "-" + disk.name());
  }

  /** Name of the Secret with cloud-init's files. */
  public String seedSecret() {
    return name + "-cloud-init";
  }

  /** Name of the Secret with the certificate of QEMU's monitors. */
  public String tlsSecret() {
    return name + "-qmp-tls";
  }

  /**
   * The name in the certificate of QEMU's monitors; no resolver knows it, the operator checks it.
   */
  public String serverName() {
    return name + "." + namespace + ".vm";
  }

  /**
   * A MAC address that stays the same for the life of this object: QEMU's locally used prefix
   * 52:54:00 and three bytes of a hash.
   */
  public String macAddress(String network) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest((uid + "/" + network).getBytes(StandardCharsets.UTF_8));
      return "52:54:00:%02x:%02x:%02x".formatted(hash[0], hash[1], hash[2]);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
