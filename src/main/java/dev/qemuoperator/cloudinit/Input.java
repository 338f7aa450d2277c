package dev.qemuoperator.cloudinit;

/** What one layer has under one key. */
record Input(String origin, boolean confidential, String key, String text) {

  Finding finding(Integer line, String message) {
    return new Finding(origin, key, line, message);
  }
}
