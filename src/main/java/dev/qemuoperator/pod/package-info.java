/**
 * From hardware to Kubernetes objects, and from a Pod back to what it says: pure functions.
 *
 * <p>Enters: a spec and its {@code Hardware}; leaves: Pod, PersistentVolumeClaim, Service and
 * Secret as they should be, and {@link dev.qemuoperator.pod.PodFacts}, a Pod's status in words that
 * decisions need. Imports {@code api} and {@code qemu}, no Kubernetes client, no {@code machine}.
 */
package dev.qemuoperator.pod;
