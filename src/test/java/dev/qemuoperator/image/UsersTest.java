package dev.qemuoperator.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.image.Users.Use;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class UsersTest {

  @Test
  void disksThatNameAnImageUseIt() {
    VirtualMachine vm =
        Serialization.unmarshal(
            """
            metadata: {uid: uid}
            spec:
              disks:
              - {name: root, source: {image: debian}}
              - {name: new, source: {image: debian}}
              - {name: data, source: {containerImage: {image: debian}}}
              - {name: blank, source: {blank: {}}}
              cdroms: []
            status:
              nodeName: n1
              disks:
              - {name: root, image: debian, digest: "sha256:0a", progress: 12 %}
              - {name: new, image: debian, progress: "fetched: 40 %, 512 KiB/s"}
              - {name: data, image: debian, digest: "sha256:0b"}
            """,
            VirtualMachine.class);
    assertThat(Users.uses(vm))
        .containsExactlyInAnyOrder(
            new Use("debian", "uid", Optional.of("n1"), Optional.of("sha256:0a"), Optional.empty()),
            new Use(
                "debian",
                "uid",
                Optional.of("n1"),
                Optional.empty(),
                Optional.of("40 %, 512 KiB/s")));
  }

  @Test
  void vmWithoutAStatusUsesItAllTheSame() {
    VirtualMachine vm =
        Serialization.unmarshal(
            """
            metadata: {uid: uid}
            spec: {disks: [{name: root, source: {image: debian}}], cdroms: []}
            """,
            VirtualMachine.class);
    assertThat(Users.uses(vm))
        .containsExactly(
            new Use("debian", "uid", Optional.empty(), Optional.empty(), Optional.empty()));
  }

  @Test
  void driveUsesTheImageOfItsMedium() {
    VirtualMachine vm =
        Serialization.unmarshal(
            """
            metadata: {uid: uid}
            spec:
              disks: [{name: root, source: {blank: {}}}]
              cdroms: [{name: iso, source: {image: installer}}, {name: empty}]
            """,
            VirtualMachine.class);
    assertThat(Users.uses(vm)).extracting(Use::image).containsExactly("installer");
  }
}
