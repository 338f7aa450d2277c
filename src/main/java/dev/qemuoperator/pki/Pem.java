package dev.qemuoperator.pki;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;

/** PEM (RFC 7468) of the two things this package stores: a certificate and a PKCS#8 EC key. */
final class Pem {
  private static final String CERTIFICATE = "CERTIFICATE";
  private static final String PRIVATE_KEY = "PRIVATE KEY";

  private static final int P256_BITS = 256;

  private Pem() {}

  static String of(X509Certificate certificate) {
    try {
      return text(CERTIFICATE, certificate.getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a certificate without an encoding", e);
    }
  }

  /**
   * PKCS#8 as OpenSSL writes it, with the public key inside. The JDK leaves that out, and GnuTLS,
   * which is QEMU's TLS, cannot load such a key ("ASN1 parser: Element was not found").
   */
  static String of(PrivateKey key, PublicKey publicKey) {
    try {
      PrivateKeyInfo bare = PrivateKeyInfo.getInstance(key.getEncoded());
      ECPrivateKey secret = ECPrivateKey.getInstance(bare.parsePrivateKey());
      SubjectPublicKeyInfo point = SubjectPublicKeyInfo.getInstance(publicKey.getEncoded());
      ECPrivateKey whole =
          new ECPrivateKey(P256_BITS, secret.getKey(), point.getPublicKeyData(), null);
      return text(
          PRIVATE_KEY, new PrivateKeyInfo(bare.getPrivateKeyAlgorithm(), whole).getEncoded());
    } catch (IOException e) {
      throw new IllegalStateException("an EC key without an encoding", e);
    }
  }

  static X509Certificate certificate(String pem) throws GeneralSecurityException {
    byte[] der = content(CERTIFICATE, pem);
    return (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
  }

  static PrivateKey privateKey(String pem) throws GeneralSecurityException {
    byte[] der = content(PRIVATE_KEY, pem);
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
  }

  private static String text(String type, byte[] der) {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return "-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n";
  }

  private static byte[] content(String type, String pem) throws GeneralSecurityException {
    try (PemReader reader = new PemReader(new StringReader(pem == null ? "" : pem))) {
      PemObject object = reader.readPemObject();
      if (object != null && object.getType().equals(type)) {
        return object.getContent();
      }
    } catch (IOException | RuntimeException e) {
      throw new GeneralSecurityException("not a PEM " + type, e);
    }
    throw new GeneralSecurityException("not a PEM " + type);
  }
}
