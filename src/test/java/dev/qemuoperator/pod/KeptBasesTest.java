package dev.qemuoperator.pod;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KeptBasesTest {

  @Test
  void diskThatReadsFromItsBaseKeepsIt() {
    VirtualMachine vm =
        Serialization.unmarshal(
            """
            metadata: {name: halted}
            status:
              disks:
              - {name: root, digest: "sha256:0a", selfContained: false}
              - {name: ephemeral, digest: "sha256:0b"}
              - {name: copied, digest: "sha256:0c", selfContained: true}
              - {name: blank}
              cdroms:
              - {name: iso, digest: "sha256:0d"}
              - {name: coming}
            """,
            VirtualMachine.class);
    assertThat(KeptBases.of(Stream.of(vm, new VirtualMachine()), Stream.empty()))
        .containsExactly("sha256:0a", "sha256:0b", "sha256:0d");
  }

  @Test
  void imageThatNodesAreToHaveIsKept() {
    VirtualMachineImage ahead = image("prePull: {}", "sha512:0a");
    VirtualMachineImage onDemand = image("format: raw", "sha256:0b");
    VirtualMachineImage unknown = image("prePull: {}", "null");
    assertThat(KeptBases.of(Stream.empty(), Stream.of(ahead, onDemand, unknown)))
        .containsExactly("sha512:0a");
  }

  private static VirtualMachineImage image(String spec, String digest) {
    return Serialization.unmarshal(
        """
        metadata: {name: a}
        spec: {%s}
        status: {digest: %s}
        """
            .formatted(spec, digest),
        VirtualMachineImage.class);
  }
}
