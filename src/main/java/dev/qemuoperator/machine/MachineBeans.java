package dev.qemuoperator.machine;

import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.pod.PodSettings;
import dev.qemuoperator.pod.PodSettings.CacheLimits;
import dev.qemuoperator.qmp.Dialer;
import dev.qemuoperator.qmp.PodAddressDialer;
import dev.qemuoperator.qmp.PortForwardDialer;
import dev.qemuoperator.qmp.QmpMonitors;
import dev.qemuoperator.qmp.Timing;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetricsV2;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.time.Clock;

/** How the parts of the operator are put together. */
final class MachineBeans {

  private static final int LEASE_LOST = 3;

  @Produces
  @Singleton
  Clock clock() {
    return Clock.systemUTC();
  }

  @Produces
  @Singleton
  PodSettings podSettings(OperatorSettings settings) {
    return new PodSettings(
        settings.runnerImage(),
        settings.cacheDirectory(),
        new CacheLimits(settings.cacheUnusedDays(), settings.cacheMebibytes()),
        settings.nodeLocalStorageClass());
  }

  @Produces
  @Singleton
  CertificateAuthority authority(KubernetesClient client, OperatorSettings settings, Clock clock) {
    return new AuthorityStore(client, settings.namespace(), clock).loadOrCreate();
  }

  @Produces
  @Singleton
  Nudges nudges() {
    return new Nudges();
  }

  @Produces
  @Singleton
  SourceWatches sources(KubernetesClient client, Nudges nudges) {
    return new SourceWatches(client, vm -> nudges.nudge(vm.namespace(), vm.name()));
  }

  void close(@Disposes SourceWatches sources) {
    sources.close();
  }

  @Produces
  @Singleton
  QmpMonitors monitors(
      KubernetesClient client,
      OperatorSettings settings,
      CertificateAuthority authority,
      Clock clock,
      Nudges nudges,
      MachineMetrics metrics) {
    Dialer dialer =
        switch (settings.dial()) {
          case POD_ADDRESS -> new PodAddressDialer();
          case PORT_FORWARD -> new PortForwardDialer(client);
        };
    return new QmpMonitors(
        dialer,
        new OperatorIdentity(authority, clock),
        clock,
        key -> {
          String[] namespaceAndName = key.split("/", 2);
          nudges.nudge(namespaceAndName[0], namespaceAndName[1]);
        },
        metrics,
        Timing.DEFAULT);
  }

  void close(@Disposes QmpMonitors monitors) {
    monitors.close();
  }

  @Produces
  @Singleton
  Monitoring monitoring(QmpMonitors monitors) {
    return new Monitoring(monitors);
  }

  @Produces
  @Singleton
  Steering steering(
      KubernetesClient client, QmpMonitors monitors, OperatorSettings settings, Clock clock) {
    DiskCopies.Commands commands =
        new DiskCopies.Commands() {
          @Override
          public void copy(String vm, String disk, long bytesPerSecond) throws IOException {
            monitors.copy(vm, disk, bytesPerSecond);
          }

          @Override
          public void cancelCopy(String vm, String disk) throws IOException {
            monitors.cancelCopy(vm, disk);
          }
        };
    return new Steering(
        client,
        monitors,
        new DiskResizes(monitors::resize, clock),
        new DiskCopies(commands, settings.copyMebibytesPerSecond(), clock),
        new MediaChanger(monitors::changeMedium, clock));
  }

  @Produces
  @Singleton
  InputReader reader(KubernetesClient client, SourceWatches sources, QmpMonitors monitors) {
    return new InputReader(client, sources, monitors);
  }

  @Produces
  @Singleton
  EventRecorder events(KubernetesClient client, OperatorSettings settings, Clock clock) {
    return new EventRecorder(client, clock, settings.instance());
  }

  @Produces
  @Singleton
  Orphans orphans(KubernetesClient client, EventRecorder events) {
    return new Orphans(client, events);
  }

  /**
   * One of several replicas works; the others stand by. One that has lost the lease ends, because
   * it would go on beside the new leader: the builder's own choice is to stay.
   */
  @Produces
  @Singleton
  LeaderElectionConfiguration leaderElection(OperatorSettings settings, Orphans orphans) {
    return LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration("qemu-operator")
        .withLeaseNamespace(settings.namespace())
        .withIdentity(settings.instance())
        .withLeaderCallbacks(
            new LeaderCallbacks(
                () -> Thread.ofVirtual().name("orphans").start(orphans::tellAll),
                () -> Quarkus.asyncExit(LEASE_LOST),
                leader -> {}))
        .build();
  }

  @Produces
  @Singleton
  MachineMetrics machineMetrics(MeterRegistry registry, Clock clock) {
    return new MachineMetrics(registry, clock);
  }

  /** Made here, because the extension's own wiring takes its no-op before Micrometer is there. */
  @Produces
  @Singleton
  Metrics metrics(MeterRegistry registry) {
    return MicrometerMetricsV2.newBuilder(registry).build();
  }
}
