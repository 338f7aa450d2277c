package dev.qemuoperator.pki;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * The certificate of one VM.
 *
 * @param files PEM texts by the file names that QEMU's {@code tls-creds-x509,endpoint=server} looks
 *     for in its directory: {@code ca-cert.pem}, {@code server-cert.pem}, {@code server-key.pem}
 */
public record VmCertificate(Map<String, String> files) {
  static final String CA = "ca-cert.pem";
  static final String CERTIFICATE = "server-cert.pem";
  static final String KEY = "server-key.pem";

  /** A SAN of this type is a DNS name (RFC 5280, GeneralName). */
  private static final int DNS_NAME = 2;

  public VmCertificate {
    files = Map.copyOf(files);
  }

  /**
   * Whether these files, read back from a Secret, can be used on: same CA, this name, the key of
   * this certificate, and more than a third of its life left, which leaves months to replace it at
   * the VM's own restarts. Whatever cannot be read is not good.
   */
  public static boolean stillGood(
      Map<String, String> files, CertificateAuthority ca, String dnsName, Clock clock) {
    try {
      X509Certificate certificate = Pem.certificate(files.get(CERTIFICATE));
      PrivateKey key = Pem.privateKey(files.get(KEY));
      certificate.verify(ca.certificate().getPublicKey());
      return Pem.certificate(files.get(CA)).equals(ca.certificate())
          && names(certificate, dnsName)
          && CertificateAuthority.belongTogether(key, certificate.getPublicKey())
          && thirdOfLifeLeft(certificate, clock.instant());
    } catch (GeneralSecurityException | RuntimeException e) {
      return false;
    }
  }

  private static boolean names(X509Certificate certificate, String dnsName)
      throws GeneralSecurityException {
    Collection<List<?>> names = certificate.getSubjectAlternativeNames();
    return names != null && names.contains(List.of(DNS_NAME, dnsName));
  }

  private static boolean thirdOfLifeLeft(X509Certificate certificate, Instant now) {
    Instant begin = certificate.getNotBefore().toInstant();
    Instant end = certificate.getNotAfter().toInstant();
    Duration third = Duration.between(begin, end).dividedBy(3);
    return !now.isBefore(begin) && now.isBefore(end.minus(third));
  }

  /** Without the key: this must never reach a log. */
  @Override
  public String toString() {
    return "VmCertificate" + files.keySet().stream().sorted().toList();
  }
}
