/**
 * The certificates between the operator and its QEMU processes.
 *
 * <p>In: a clock, the PEM texts of the operator's own CA, the DNS name of a VM. Out: PEM texts for
 * Secrets, named as QEMU's {@code tls-creds-x509} wants them, and the TLS context of the operator.
 * Keys stay in memory; nothing here reads or writes a file or a Secret. Imports nothing of this
 * project.
 */
package dev.qemuoperator.pki;
