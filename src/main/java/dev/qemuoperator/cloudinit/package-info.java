/**
 * From layers of cloud-init data and facts about the guest to the files of a NoCloud seed disk.
 *
 * <p>Enters: texts of ConfigMaps, Secrets and the spec, with a name for each. Leaves: four files,
 * their hash, and findings that say what cloud-init in the guest would have ignored in silence.
 * Pure functions; imports nothing of this project but {@code api}, and does no I/O. No message
 * holds the content of a confidential layer.
 */
package dev.qemuoperator.cloudinit;
