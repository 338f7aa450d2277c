/**
 * The Kubernetes cluster that the integration and end-to-end tests share: one per test JVM.
 *
 * <p>In comes the name of an image of the project or nothing; out come a client, kubectl, a fresh
 * namespace per test class. Which cluster it is (one that a kubeconfig names, k3s, or its stand-in
 * in {@code images/cluster}) no test may know. Imports nothing of this project.
 */
package dev.qemuoperator.cluster;
