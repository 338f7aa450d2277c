/**
 * From a spec to QEMU's command line: pure functions, values in, values out.
 *
 * <p>Enters: a {@code VirtualMachineSpec} and who the VM is. Leaves: {@link
 * dev.qemuoperator.qemu.Hardware}, a list of {@link dev.qemuoperator.qemu.Device}s, each with its
 * arguments and everything of the pod that it needs. To add a device, write one function that
 * returns a {@code Device} and add it to {@code Hardware}. Imports {@code api} only, no Kubernetes
 * client and nothing that does I/O. Words are QEMU's own: https://www.qemu.org/docs/master/system/.
 */
package dev.qemuoperator.qemu;
