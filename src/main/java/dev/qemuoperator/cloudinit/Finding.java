package dev.qemuoperator.cloudinit;

/**
 * Something that cloud-init would not accept, and what to do.
 *
 * @param key the key of the origin's data, or null if the origin as a whole is meant
 * @param line 1-based within the key's text, or null if there is none to name
 * @param message never holds content of a confidential layer
 */
public record Finding(String origin, String key, Integer line, String message) {

  /** {@code ConfigMap/base, key user-data, line 4: mapping values are not allowed here}. */
  public String text() {
    return origin
        + (key == null ? "" : ", key " + key)
        + (line == null ? "" : ", line " + line)
        + ": "
        + message;
  }
}
