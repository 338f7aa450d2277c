/**
 * The kind VirtualMachineImage: which of an image's sources answers, and what it must serve.
 *
 * <p>{@link dev.qemuoperator.image.VirtualMachineImageReconciler} is the table of contents. Nothing
 * is fetched here but sums: the images themselves go from their source to the nodes, in the pods of
 * the virtual machines. Packages of other kinds may not be imported.
 */
package dev.qemuoperator.image;
