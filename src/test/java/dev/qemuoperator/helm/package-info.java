/**
 * The chart as Helm renders it: values in, Kubernetes objects out. No cluster; whether the operator
 * lives with what the chart gives it is for the tests that install it.
 */
package dev.qemuoperator.helm;
