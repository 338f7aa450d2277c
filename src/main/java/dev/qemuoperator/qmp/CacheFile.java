package dev.qemuoperator.qmp;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A file of the node's cache, which names files by their content. */
final class CacheFile {

  private static final Pattern DIGEST = Pattern.compile("/([0-9a-f]{64})$");

  private CacheFile() {}

  /** {@code sha256:…} of the file at a path; null if it is none of the cache. */
  static String digest(String path) {
    Matcher digest = DIGEST.matcher(path);
    return digest.find() ? "sha256:" + digest.group(1) : null;
  }

  /** Where the pod has it. */
  static String path(String digest) {
    return "/cache/sha256/" + digest.substring("sha256:".length());
  }
}
