/**
 * The kind VirtualMachine: the shell around the pure packages, and the only place that does I/O.
 *
 * <p>{@link dev.qemuoperator.machine.VirtualMachineReconciler} is the table of contents: read
 * ({@code MachineInputs}), decide ({@code MachineDecision}), build ({@code DesiredState}), apply
 * ({@code Apply}), report ({@code MachineReport}). All of it but reading and applying is a function
 * of values, so that golden scenarios run it without a cluster. Packages of other kinds may not be
 * imported.
 */
package dev.qemuoperator.machine;
