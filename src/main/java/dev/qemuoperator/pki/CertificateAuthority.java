package dev.qemuoperator.pki;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * The operator's own CA: EC P-256, ten years. It signs two kinds of certificate, one per VM and the
 * operator's own, and nobody else trusts it.
 *
 * <p>Every certificate of it lets a peer finish a TLS handshake with QEMU; only the subject {@link
 * #OPERATOR_DN} gets past QEMU's {@code authz-simple} object, so only the operator may have it.
 */
public final class CertificateAuthority {

  /**
   * The operator's subject as {@code authz-simple,identity=} expects it. QEMU compares the DN in
   * its order of encoding, which tools print in different orders; one RDN has only one order.
   */
  public static final String OPERATOR_DN = "CN=qemu-operator";

  private static final Duration CA_LIFE = Duration.ofDays(3650);
  // QEMU reads its certificate once, at its start, and a guest may run for years; nobody but this
  // installation trusts it
  private static final Duration LIFE = CA_LIFE;

  /** Clocks of nodes differ; a certificate that is "not yet valid" stops a VM from being seen. */
  private static final Duration SKEW = Duration.ofMinutes(10);

  /** Upper bound of a common name (RFC 5280); the DNS name in the SAN may be longer. */
  private static final int LONGEST_COMMON_NAME = 64;

  /** A dot is required: without one, the name could be the operator's own. */
  private static final Pattern DNS_NAME =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+");

  private static final SecureRandom RANDOM = new SecureRandom();

  private final X509Certificate certificate;
  private final PrivateKey key;

  private CertificateAuthority(X509Certificate certificate, PrivateKey key) {
    this.certificate = certificate;
    this.key = key;
  }

  public static CertificateAuthority generate(Clock clock) {
    try {
      KeyPair pair = keyPair();
      X500Name name = commonName("qemu-operator-ca");
      X509v3CertificateBuilder builder =
          builder(name, name, pair.getPublic(), clock.instant(), CA_LIFE)
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(true))
              .addExtension(
                  Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
              .addExtension(
                  Extension.subjectKeyIdentifier,
                  false,
                  new JcaX509ExtensionUtils().createSubjectKeyIdentifier(pair.getPublic()));
      return new CertificateAuthority(signed(builder, pair.getPrivate()), pair.getPrivate());
    } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
      throw new IllegalStateException("this JVM cannot make a CA", e);
    }
  }

  /**
   * The reverse of {@link #toPem}.
   *
   * @throws IllegalArgumentException if the texts are not a CA's certificate and its key
   */
  public static CertificateAuthority parse(Map<String, String> pem) {
    try {
      X509Certificate certificate = Pem.certificate(pem.get("ca.crt"));
      PrivateKey key = Pem.privateKey(pem.get("ca.key"));
      if (certificate.getBasicConstraints() < 0) {
        throw new IllegalArgumentException("ca.crt is not the certificate of a CA");
      }
      if (!belongTogether(key, certificate.getPublicKey())) {
        throw new IllegalArgumentException("ca.key is not the key of ca.crt");
      }
      return new CertificateAuthority(certificate, key);
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("ca.crt and ca.key are not a CA in PEM", e);
    }
  }

  /** What the operator's Secret holds: {@code ca.crt} and {@code ca.key} (PKCS#8), both PEM. */
  public Map<String, String> toPem() {
    return Map.of("ca.crt", Pem.of(certificate), "ca.key", Pem.of(key, certificate.getPublicKey()));
  }

  /**
   * A certificate for one VM, valid for a year. It is a client's, too, because QEMU is one when it
   * migrates a guest away or reads another one's disk.
   *
   * @param dnsName the name that the operator checks whatever address it dials, {@code
   *     <vm>.<namespace>.vm}: the pod's address is not known before it is scheduled
   * @throws IllegalArgumentException if that is not a DNS name in lower case with a dot
   */
  public VmCertificate issueServer(String dnsName, Clock clock) {
    if (!DNS_NAME.matcher(dnsName).matches()) {
      throw new IllegalArgumentException("not a DNS name of a VM: " + dnsName);
    }
    try {
      KeyPair pair = keyPair();
      X509v3CertificateBuilder builder =
          leaf(
                  dnsName,
                  pair.getPublic(),
                  clock.instant(),
                  KeyPurposeId.id_kp_serverAuth,
                  KeyPurposeId.id_kp_clientAuth)
              .addExtension(
                  Extension.subjectAlternativeName,
                  false,
                  new GeneralNames(new GeneralName(GeneralName.dNSName, dnsName)));
      return new VmCertificate(
          Map.of(
              VmCertificate.CA, Pem.of(certificate),
              VmCertificate.CERTIFICATE, Pem.of(signed(builder, key)),
              VmCertificate.KEY, Pem.of(pair.getPrivate(), pair.getPublic())));
    } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
      throw new IllegalStateException("this JVM cannot make a certificate", e);
    }
  }

  /**
   * The operator's side of every connection: shows a fresh certificate of subject {@link
   * #OPERATOR_DN}, valid for a year, and trusts this CA only. Whether the peer is the right VM is
   * for the user of the context to check (endpoint identification).
   */
  public SSLContext operatorContext(Clock clock) {
    try {
      KeyPair pair = keyPair();
      String name = OPERATOR_DN.substring("CN=".length());
      X509v3CertificateBuilder builder =
          leaf(name, pair.getPublic(), clock.instant(), KeyPurposeId.id_kp_clientAuth);
      char[] noPassword = {};
      KeyStore own = KeyStore.getInstance("PKCS12");
      own.load(null, null);
      own.setKeyEntry(
          "operator",
          pair.getPrivate(),
          noPassword,
          new X509Certificate[] {signed(builder, key), certificate});
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("ca", certificate);

      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(own, noPassword);
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLSv1.3");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), RANDOM);
      return context;
    } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
      throw new IllegalStateException("this JVM cannot make a TLS context", e);
    }
  }

  X509Certificate certificate() {
    return certificate;
  }

  static boolean belongTogether(PrivateKey key, PublicKey publicKey)
      throws GeneralSecurityException {
    byte[] anything = {1, 2, 3};
    Signature signing = Signature.getInstance("SHA256withECDSA");
    signing.initSign(key);
    signing.update(anything);
    Signature checking = Signature.getInstance("SHA256withECDSA");
    checking.initVerify(publicKey);
    checking.update(anything);
    return checking.verify(signing.sign());
  }

  private X509v3CertificateBuilder leaf(
      String name, PublicKey publicKey, Instant now, KeyPurposeId... purposes)
      throws GeneralSecurityException, IOException {
    JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
    X500Name issuer = X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
    return builder(issuer, commonName(name), publicKey, now, LIFE)
        .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
        .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
        .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purposes))
        .addExtension(
            Extension.authorityKeyIdentifier,
            false,
            extensions.createAuthorityKeyIdentifier(certificate.getPublicKey()))
        .addExtension(
            Extension.subjectKeyIdentifier,
            false,
            extensions.createSubjectKeyIdentifier(publicKey));
  }

  private static X509v3CertificateBuilder builder(
      X500Name issuer, X500Name subject, PublicKey publicKey, Instant now, Duration life) {
    return new JcaX509v3CertificateBuilder(
        issuer,
        new BigInteger(127, RANDOM).setBit(126),
        Date.from(now.minus(SKEW)),
        Date.from(now.plus(life)),
        subject,
        publicKey);
  }

  private static X509Certificate signed(X509v3CertificateBuilder builder, PrivateKey key)
      throws GeneralSecurityException, OperatorCreationException {
    return new JcaX509CertificateConverter()
        .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key)));
  }

  /** Built, not parsed, so that no character of a name can start another RDN. */
  private static X500Name commonName(String name) {
    String cut = name.substring(0, Math.min(name.length(), LONGEST_COMMON_NAME));
    return new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, cut).build();
  }

  private static KeyPair keyPair() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"), RANDOM);
    return generator.generateKeyPair();
  }
}
