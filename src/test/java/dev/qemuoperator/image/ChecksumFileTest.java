package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ChecksumFileTest {

  private static final String A = "0a".repeat(32);
  private static final String B = "0b".repeat(32);
  private static final String LONG = "0c".repeat(64);

  @Test
  void debianAndUbuntuListNamesAfterTheirSums() {
    ChecksumFile sums =
        new ChecksumFile("%s  other.img\n%s *ubuntu.img\n%s  ./disk.qcow2\n".formatted(B, A, LONG));
    assertThat(sums.sumOf("ubuntu.img")).contains("sha256:" + A);
    assertThat(sums.sumOf("disk.qcow2")).contains("sha512:" + LONG);
    assertThat(sums.sumOf("buntu.img")).isEmpty();
  }

  @Test
  void fedoraSignsWhatBsdWrites() {
    ChecksumFile sums =
        new ChecksumFile(
            """
            -----BEGIN PGP SIGNED MESSAGE-----
            Hash: SHA256

            # Fedora-Cloud.qcow2: 556793856 bytes
            SHA256 (Fedora-Cloud.qcow2) = %s
            -----BEGIN PGP SIGNATURE-----
            %s
            """
                .formatted(A.toUpperCase(), B));
    assertThat(sums.sumOf("Fedora-Cloud.qcow2")).contains("sha256:" + A);
  }

  @Test
  void alpineNeedNotNameTheFile() {
    assertThat(new ChecksumFile(LONG + "\n").sumOf("alpine.qcow2")).contains("sha512:" + LONG);
  }

  @Test
  void strongestSumCounts() {
    ChecksumFile sums =
        new ChecksumFile("%s  a\n%s  a\n%s  a\n".formatted(A, LONG, "0d".repeat(16)));
    assertThat(sums.sumOf("a")).contains("sha512:" + LONG);
    assertThat(new ChecksumFile("0d".repeat(16) + "  a\n").sumOf("a")).as("MD5").isEmpty();
  }

  @Test
  void folderTellsFilesOfTheSameNameApart() {
    ChecksumFile sums = new ChecksumFile("%s  amd64/a.img\n%s  arm64/a.img\n".formatted(A, B));
    assertThat(sums.sumOf("/latest/arm64/a.img")).contains("sha256:" + B);
    assertThat(sums.sumOf("/latest/a.img")).as("who can tell?").isEmpty();
  }

  @Test
  void otherTextHasNoSum() {
    assertThat(new ChecksumFile("<html>moved</html>").sumOf("a")).isEmpty();
    assertThat(new ChecksumFile("").sumOf("a")).isEmpty();
  }
}
