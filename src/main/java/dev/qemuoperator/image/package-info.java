/**
 * The kind VirtualMachineImage: which of an image's sources answers, what it must serve, and which
 * nodes have it.
 *
 * <p>{@link dev.qemuoperator.image.VirtualMachineImageReconciler} is the table of contents. Nothing
 * is fetched here but sums: the images themselves go from their source to the nodes, in the pods of
 * the virtual machines or, ahead of those, in pods of {@link dev.qemuoperator.image.PrePull}.
 * Packages of other kinds may not be imported.
 */
package dev.qemuoperator.image;
