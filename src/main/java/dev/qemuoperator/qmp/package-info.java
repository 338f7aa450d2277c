/**
 * What QEMU itself says about each VM, over its monitor protocol (QMP).
 *
 * <p>In: where a VM's QEMU listens, a TLS context, a clock. Out: the latest {@link
 * dev.qemuoperator.qmp.Observation} per VM and a call when it changed; what a pod's termination
 * message tells ({@link dev.qemuoperator.qmp.EventLog}). Blocking code on virtual threads, one per
 * VM and one per connection. Imports nothing of this project and no metrics; knows no custom
 * resource.
 */
package dev.qemuoperator.qmp;
