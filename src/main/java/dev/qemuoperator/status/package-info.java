/**
 * Conditions by the Kubernetes API conventions: verdicts in, conditions out. Pure; the clock is a
 * parameter. Knows nothing of virtual machines, so that every kind can use it.
 *
 * <p>Source:
 * https://github.com/kubernetes/community/blob/main/contributors/devel/sig-architecture/api-conventions.md
 */
package dev.qemuoperator.status;
