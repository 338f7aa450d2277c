/**
 * The provisioner of disks with the storage {@code nodeLocal}: a directory of the node for each of
 * their claims.
 *
 * <p>Enters: claims of the chart's StorageClass, with the node that the scheduler has chosen.
 * Leaves: PersistentVolumes; pods that remove the directories of those that were released. May not
 * be imported: packages of a custom resource's reconciler, which know nothing but the
 * StorageClass's name.
 */
package dev.qemuoperator.volume;
