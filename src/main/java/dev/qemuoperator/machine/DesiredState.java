package dev.qemuoperator.machine;

import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.pki.VmCertificate;
import dev.qemuoperator.pod.ImageFetch;
import dev.qemuoperator.pod.Ownership;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.PodSettings;
import dev.qemuoperator.pod.VmObjects;
import dev.qemuoperator.pod.VmPod;
import dev.qemuoperator.qemu.Hardware;
import dev.qemuoperator.qemu.VmIdentity;
import dev.qemuoperator.qmp.Observation;
import dev.qemuoperator.qmp.Observation.Answers;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The objects of a VM as they should be.
 *
 * @param seed empty if there is none to write: none is wanted, or its sources are at fault and the
 *     last good one stays
 */
record DesiredState(
    List<PersistentVolumeClaim> claims,
    Optional<Secret> seed,
    Secret tls,
    Optional<Service> service,
    Pod pod,
    MediumPods mediumPods) {

  static DesiredState build(
      MachineInputs in,
      MachineDecision decision,
      PodSettings settings,
      CertificateAuthority authority,
      Clock clock) {
    VmIdentity vm = in.identity();
    Hardware hardware =
        Hardware.of(
            vm,
            in.spec(),
            in.wantsSeed(),
            CertificateAuthority.OPERATOR_DN,
            Volumes.of(in),
            decision.lans().places().ports());
    return new DesiredState(
        in.spec().disks().stream()
            .filter(disk -> disk.storage().isClaimed())
            // an existing one is never made
            .filter(
                disk -> disk.storage().existing().isEmpty() || Volumes.claim(in, disk).isPresent())
            .map(
                disk ->
                    VmObjects.claim(
                        vm, disk, BaseImages.notes(in, disk), settings.nodeLocalStorageClass()))
            .toList(),
        decision
            .seed()
            .map(
                seed ->
                    VmObjects.seed(
                        vm,
                        seed.files(),
                        SeedHistory.of(in.seed()).with(seed, hash -> mayHaveBooted(in, hash)))),
        VmObjects.tls(vm, certificate(in, authority, clock), decision.done()),
        VmObjects.service(vm, in.spec()),
        VmPod.build(
            vm,
            in.spec(),
            hardware,
            new ImageFetch(settings, decision.bases().fetch(), in.keptBases()),
            decision.lans().places(),
            in.requests()),
        MediumPods.of(in, settings));
  }

  PodFacts podFacts() {
    return new PodFacts(pod);
  }

  /** While QEMU cannot be asked, any earlier seed may be the one that its guest has. */
  private static boolean mayHaveBooted(MachineInputs in, String seedHash) {
    return in.pod().isPresent()
        && in.qmp()
            .map(Observation::answers)
            .map(Answers::seedSerial)
            .map(seedHash::equals)
            .orElse(true);
  }

  /**
   * A certificate that is still good stays: a new one would only reach QEMU with its next start.
   */
  private static Map<String, String> certificate(
      MachineInputs in, CertificateAuthority authority, Clock clock) {
    String name = in.identity().serverName();
    return in.tls()
        .filter(secret -> Ownership.belongsTo(in.identity(), secret))
        .map(VmObjects::files)
        .filter(files -> VmCertificate.stillGood(files, authority, name, clock))
        .orElseGet(() -> authority.issueServer(name, clock).files());
  }
}
