/**
 * The watch on HostPathRoots: a root that comes, changes or goes enters, the kinds whose images may
 * be in it are told. The packages of kinds may not be imported.
 */
package dev.qemuoperator.roots;
