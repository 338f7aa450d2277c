package dev.qemuoperator.image;

import dev.qemuoperator.api.Disk;
import dev.qemuoperator.api.VirtualMachine;
import dev.qemuoperator.api.VirtualMachineImage;
import dev.qemuoperator.api.VirtualMachineStatus;
import dev.qemuoperator.pod.KeptBases;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The VirtualMachines whose disks or CD-ROM drives name an image. */
final class Users {

  /** How the status of a disk begins to tell of its base image, see the API reference. */
  private static final String FETCHED = "fetched: ";

  /**
   * A disk that is made from an image, or a CD-ROM drive with one.
   *
   * @param image by name
   * @param machine UID of the VM
   * @param node where the VM runs
   * @param digest of the base image that the disk was made from, as the cache names it
   * @param fetched how much of it has come, while it comes
   */
  record Use(
      String image,
      String machine,
      Optional<String> node,
      Optional<String> digest,
      Optional<String> fetched) {}

  private final InformerEventSource<VirtualMachine, VirtualMachineImage> machines;

  /**
   * Of all namespaces, whichever this operator runs them of: an image belongs to none. What has
   * dropped an image tells all: there are few, and each counts for itself.
   */
  Users(EventSourceContext<VirtualMachineImage> context) {
    machines =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(VirtualMachine.class, VirtualMachineImage.class)
                .withWatchAllNamespaces()
                .withOnUpdateFilter((now, before) -> !uses(now).equals(uses(before)))
                .withSecondaryToPrimaryMapper(
                    vm ->
                        context
                            .getPrimaryCache()
                            .list()
                            .map(ResourceID::fromResource)
                            .collect(Collectors.toSet()))
                .build(),
            context);
  }

  InformerEventSource<VirtualMachine, VirtualMachineImage> eventSource() {
    return machines;
  }

  List<Use> of(HasMetadata image) {
    return machines
        .list()
        .flatMap(vm -> uses(vm).stream())
        .filter(use -> use.image().equals(image.getMetadata().getName()))
        .toList();
  }

  SortedSet<String> keptBases(Context<VirtualMachineImage> context) {
    return KeptBases.of(machines.list(), context.getPrimaryCache().list());
  }

  /** Of each image that a VM names, what its disks tell; a drive tells nothing of nodes. */
  static Set<Use> uses(VirtualMachine vm) {
    Stream<Use> disks =
        vm.getSpec().disks().stream()
            .filter(disk -> disk.source().image() != null)
            .map(disk -> use(vm, disk));
    Stream<Use> drives =
        vm.getSpec().cdroms().stream()
            .flatMap(cdrom -> Stream.ofNullable(cdrom.source()))
            .flatMap(source -> Stream.ofNullable(source.image()))
            .map(image -> new Use(image, vm.getMetadata().getUid(), none(), none(), none()));
    return Stream.concat(disks, drives).collect(Collectors.toSet());
  }

  private static Optional<String> none() {
    return Optional.empty();
  }

  private static Use use(VirtualMachine vm, Disk disk) {
    Optional<VirtualMachineStatus> status = Optional.ofNullable(vm.getStatus());
    Optional<VirtualMachineStatus.Disk> told =
        status.stream()
            .flatMap(now -> now.disks().stream())
            .filter(candidate -> candidate.name().equals(disk.name()))
            .findFirst();
    return new Use(
        disk.source().image(),
        vm.getMetadata().getUid(),
        status.map(VirtualMachineStatus::nodeName),
        told.map(VirtualMachineStatus.Disk::digest),
        told.map(VirtualMachineStatus.Disk::progress)
            .filter(progress -> progress.startsWith(FETCHED))
            .map(progress -> progress.substring(FETCHED.length())));
  }
}
