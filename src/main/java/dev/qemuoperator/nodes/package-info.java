/**
 * Pods that do something on one node each, in the operator's namespace, and the nodes that there
 * are: what a kind wants there enters, what nodes and pods tell leaves. The packages of kinds may
 * not be imported.
 */
package dev.qemuoperator.nodes;
