package dev.qemuoperator.pki;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CertificateAuthorityTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
  private static final Clock CLOCK = at(NOW);
  private static final String WEB = "web.default.vm";

  private static final CertificateAuthority CA = CertificateAuthority.generate(CLOCK);

  @Test
  void caSignsCertificatesForTenYearsAndNothingElse() throws Exception {
    X509Certificate certificate = CA.certificate();

    assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=qemu-operator-ca");
    assertThat(certificate.getNotAfter().toInstant()).isEqualTo(NOW.plus(Duration.ofDays(3650)));
    assertThat(certificate.getBasicConstraints()).isEqualTo(Integer.MAX_VALUE);
    assertThat(bits(certificate.getKeyUsage())).containsExactly(5, 6);
    assertThat(certificate.getCriticalExtensionOIDs()).contains("2.5.29.19", "2.5.29.15");
    assertThat(certificate.getPublicKey().getAlgorithm()).isEqualTo("EC");
    certificate.verify(certificate.getPublicKey());
  }

  @Test
  void caReadBackFromItsSecretIsTheSameCa() {
    Map<String, String> secret = CA.toPem();
    CertificateAuthority readBack = CertificateAuthority.parse(secret);

    assertThat(secret).containsOnlyKeys("ca.crt", "ca.key");
    assertThat(readBack.toPem()).isEqualTo(secret);
    assertThat(VmCertificate.stillGood(readBack.issueServer(WEB, CLOCK).files(), CA, WEB, CLOCK))
        .isTrue();
  }

  @Test
  void caIsNotReadFromAnythingElse() {
    Map<String, String> good = CA.toPem();
    Map<String, String> foreignKey = new HashMap<>(good);
    foreignKey.put("ca.key", CertificateAuthority.generate(CLOCK).toPem().get("ca.key"));
    Map<String, String> vm = CA.issueServer(WEB, CLOCK).files();
    Map<String, String> leaf =
        Map.of("ca.crt", vm.get("server-cert.pem"), "ca.key", vm.get("server-key.pem"));

    for (Map<String, String> bad :
        List.of(Map.<String, String>of(), foreignKey, leaf, Map.of("ca.crt", "x", "ca.key", "y"))) {
      assertThatIllegalArgumentException().isThrownBy(() -> CertificateAuthority.parse(bad));
    }
  }

  @Test
  void vmCertificateIsWhatQemuWantsInItsDirectory() throws Exception {
    Map<String, String> files = CA.issueServer(WEB, CLOCK).files();
    X509Certificate certificate = Pem.certificate(files.get("server-cert.pem"));

    assertThat(files).containsOnlyKeys("ca-cert.pem", "server-cert.pem", "server-key.pem");
    assertThat(files.get("ca-cert.pem")).isEqualTo(CA.toPem().get("ca.crt"));
    assertThat(files.get("server-key.pem")).startsWith("-----BEGIN PRIVATE KEY-----\n");
    assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=web.default.vm");
    assertThat(certificate.getSubjectAlternativeNames()).containsExactly(List.of(2, WEB));
    assertThat(certificate.getExtendedKeyUsage())
        .containsExactly("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
    assertThat(bits(certificate.getKeyUsage())).containsExactly(0);
    assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
    assertThat(certificate.getNotAfter().toInstant()).isEqualTo(NOW.plus(Duration.ofDays(3650)));
  }

  /** GnuTLS cannot load the key otherwise; QEMU would not start. */
  @Test
  void keyOfAVmHasItsPublicKeyInside() throws Exception {
    Map<String, String> files = CA.issueServer(WEB, CLOCK).files();
    X509Certificate certificate = Pem.certificate(files.get("server-cert.pem"));
    String base64 = files.get("server-key.pem").replaceAll("-----[A-Z ]+-----", "");
    ECPrivateKey key =
        ECPrivateKey.getInstance(
            PrivateKeyInfo.getInstance(Base64.getMimeDecoder().decode(base64)).parsePrivateKey());

    assertThat(key.getPublicKey())
        .isEqualTo(
            SubjectPublicKeyInfo.getInstance(certificate.getPublicKey().getEncoded())
                .getPublicKeyData());
  }

  @Test
  void vmCertificateIsValidOnNodesWhoseClockIsBehind() throws Exception {
    Map<String, String> files = CA.issueServer(WEB, CLOCK).files();

    Pem.certificate(files.get("server-cert.pem"))
        .checkValidity(Date.from(NOW.minus(Duration.ofMinutes(5))));
  }

  @Test
  void longNameIsWholeInTheSanAndCutInTheSubject() throws Exception {
    String name = "a".repeat(63) + "." + "b".repeat(63) + ".vm";
    Map<String, String> files = CA.issueServer(name, CLOCK).files();

    assertThat(VmCertificate.stillGood(files, CA, name, CLOCK)).isTrue();
    assertThat(Pem.certificate(files.get("server-cert.pem")).getSubjectX500Principal().getName())
        .hasSize("CN=".length() + 64);
  }

  @ParameterizedTest
  @ValueSource(strings = {"qemu-operator", "", "a.vm,CN=qemu-operator", "UPPER.case.vm", "*.vm"})
  void noVmGetsTheOperatorsNameOrOneThatIsNoDnsName(String name) {
    assertThatIllegalArgumentException().isThrownBy(() -> CA.issueServer(name, CLOCK));
  }

  @Test
  void certificateIsGoodWhileMoreThanAThirdOfItsLifeIsLeft() {
    Map<String, String> files = CA.issueServer(WEB, CLOCK).files();

    assertThat(VmCertificate.stillGood(files, CA, WEB, CLOCK)).isTrue();
    assertThat(VmCertificate.stillGood(files, CA, WEB, at(NOW.plus(Duration.ofDays(2433)))))
        .isTrue();
    assertThat(VmCertificate.stillGood(files, CA, WEB, at(NOW.plus(Duration.ofDays(2434)))))
        .isFalse();
  }

  @Test
  void certificateOfAnotherNameCaOrKeyIsNotGood() {
    Map<String, String> files = CA.issueServer(WEB, CLOCK).files();
    Map<String, String> foreign =
        CertificateAuthority.generate(CLOCK).issueServer(WEB, CLOCK).files();
    Map<String, String> otherKey = new HashMap<>(files);
    otherKey.put("server-key.pem", foreign.get("server-key.pem"));
    Map<String, String> otherCa = new HashMap<>(files);
    otherCa.put("ca-cert.pem", foreign.get("ca-cert.pem"));

    assertThat(VmCertificate.stillGood(files, CA, "db.default.vm", CLOCK)).isFalse();
    assertThat(VmCertificate.stillGood(foreign, CA, WEB, CLOCK)).isFalse();
    assertThat(VmCertificate.stillGood(otherKey, CA, WEB, CLOCK)).isFalse();
    assertThat(VmCertificate.stillGood(otherCa, CA, WEB, CLOCK)).isFalse();
  }

  @Test
  void garbageIsNotGoodAndDoesNotThrow() {
    Map<String, String> good = CA.issueServer(WEB, CLOCK).files();

    assertThat(VmCertificate.stillGood(Map.of(), CA, WEB, CLOCK)).isFalse();
    for (String name : good.keySet()) {
      for (String garbage :
          List.of(
              "",
              "no PEM",
              "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
              "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
              "-----BEGIN CERTIFICATE-----\nAAAA")) {
        Map<String, String> files = new HashMap<>(good);
        files.put(name, garbage);
        assertThat(VmCertificate.stillGood(files, CA, WEB, CLOCK)).as(name + garbage).isFalse();
      }
    }
  }

  @Test
  void keyOfAVmIsNotPrinted() {
    assertThat(CA.issueServer(WEB, CLOCK).toString()).doesNotContain("BEGIN");
  }

  private static List<Integer> bits(boolean[] keyUsage) {
    return IntStream.range(0, keyUsage.length).filter(bit -> keyUsage[bit]).boxed().toList();
  }

  private static Clock at(Instant instant) {
    return Clock.fixed(instant, ZoneOffset.UTC);
  }
}
