/**
 * The operator as its users have it: installed by Helm under the shipped rights, with real guests
 * in real pods, and the guest itself as the witness.
 *
 * <p>{@code Installation} is the one installation of a test JVM, {@code Vm} the handle of a virtual
 * machine. Names of images come from ./test as system properties.
 */
package dev.qemuoperator.e2e;
