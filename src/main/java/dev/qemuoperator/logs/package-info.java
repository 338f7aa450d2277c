/**
 * The edge to the logs of containers: a pod enters, a line or the end of a console leaves. What is
 * read was written by scripts of ours or by a guest, so it is bounded and taken for text alone. The
 * packages of kinds may not be imported.
 */
package dev.qemuoperator.logs;
