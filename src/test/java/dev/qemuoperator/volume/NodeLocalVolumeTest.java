package dev.qemuoperator.volume;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.Golden;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodeLocalVolumeTest {

  private static final NodeLocalVolume VOLUMES = new NodeLocalVolume("local", "/var/lib/disks");
  private static final Path EXPECTED = Path.of("src/test/resources/volume");

  private static final Node NODE =
      new NodeBuilder()
          .withNewMetadata()
          .withName("n1")
          .withLabels(Map.of("kubernetes.io/hostname", "n1.lan"))
          .endMetadata()
          .build();

  private static final PersistentVolumeClaim CLAIM =
      Serialization.unmarshal(
          """
          apiVersion: v1
          kind: PersistentVolumeClaim
          metadata:
            namespace: lab
            name: web-root
            uid: 6a1f1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b
            annotations: {volume.kubernetes.io/selected-node: n1}
          spec:
            storageClassName: local
            accessModes: [ReadWriteOnce]
            resources: {requests: {storage: 8Gi}}
          """,
          PersistentVolumeClaim.class);

  @Test
  void isADirectoryOfTheNodeThatTheSchedulerChose() {
    Golden.assertMatches(
        EXPECTED.resolve("volume.yaml"), Serialization.asYaml(VOLUMES.of(CLAIM, NODE)));
  }

  @Test
  void isRemovedOnItsNodeAndNothingElseIs() {
    Golden.assertMatches(
        EXPECTED.resolve("remover.yaml"),
        Serialization.asYaml(VOLUMES.remover(released(), "qemu-operator", "runner:1")));
  }

  @Test
  void isKnownByThePodThatRemovesIt() {
    assertThat(NodeLocalVolume.removedBy(VOLUMES.remover(released(), "qemu-operator", "runner:1")))
        .isEqualTo(released().getMetadata().getName());
  }

  @Test
  void isMadeForAClaimThatHasANodeAndNoVolume() {
    assertThat(VOLUMES.nodeFor(CLAIM)).contains("n1");
    assertThat(
            VOLUMES.nodeFor(
                CLAIM.edit().editMetadata().withAnnotations(null).endMetadata().build()))
        .as("no pod has asked for it")
        .isEmpty();
    assertThat(VOLUMES.nodeFor(CLAIM.edit().editSpec().withVolumeName("a").endSpec().build()))
        .as("it has one")
        .isEmpty();
    assertThat(
            VOLUMES.nodeFor(CLAIM.edit().editSpec().withStorageClassName("fast").endSpec().build()))
        .as("of another class")
        .isEmpty();
    assertThat(
            VOLUMES.nodeFor(
                CLAIM.edit().editMetadata().withDeletionTimestamp("now").endMetadata().build()))
        .as("it is being deleted")
        .isEmpty();
  }

  @Test
  void isRemovedOnlyAsItWasMadeAndAfterItsClaim() {
    assertThat(VOLUMES.isReleased(released())).isTrue();
    assertThat(VOLUMES.isReleased(VOLUMES.of(CLAIM, NODE))).as("not bound yet").isFalse();
    assertThat(
            VOLUMES.isReleased(
                released().edit().editStatus().withPhase("Bound").endStatus().build()))
        .isFalse();
    assertThat(
            VOLUMES.isReleased(
                released()
                    .edit()
                    .editSpec()
                    .withPersistentVolumeReclaimPolicy("Retain")
                    .endSpec()
                    .build()))
        .as("somebody wants to keep it")
        .isFalse();
    assertThat(
            VOLUMES.isReleased(
                released()
                    .edit()
                    .editSpec()
                    .editHostPath()
                    .withPath("/etc")
                    .endHostPath()
                    .endSpec()
                    .build()))
        .as("somebody has changed its path")
        .isFalse();
    assertThat(
            VOLUMES.isReleased(
                released()
                    .edit()
                    .editSpec()
                    .editClaimRef()
                    .withUid("..")
                    .endClaimRef()
                    .endSpec()
                    .build()))
        .as("somebody has changed its claim")
        .isFalse();
  }

  @Test
  void growsWithItsClaim() {
    PersistentVolume volume = VOLUMES.of(CLAIM, NODE);
    assertThat(NodeLocalVolume.isToGrow(CLAIM, volume)).isFalse();
    volume.getSpec().getCapacity().replace("storage", new Quantity("4Gi"));
    assertThat(NodeLocalVolume.isToGrow(CLAIM, volume)).isTrue();
  }

  private static PersistentVolume released() {
    return new PersistentVolumeBuilder(VOLUMES.of(CLAIM, NODE))
        .withNewStatus()
        .withPhase("Released")
        .endStatus()
        .build();
  }
}
