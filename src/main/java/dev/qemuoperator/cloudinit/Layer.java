package dev.qemuoperator.cloudinit;

import java.util.Map;

/**
 * One source of cloud-init data.
 *
 * @param origin what a user reads in messages: {@code ConfigMap/base}, {@code Secret/web-secrets},
 *     {@code spec.cloudInit.sources[2].inline}
 * @param confidential nothing of the data may appear in a message
 * @param data as found, under {@code user-data} or {@code userData} and so on. Values are text:
 *     gzipped or otherwise binary user-data is not supported.
 */
public record Layer(String origin, boolean confidential, Map<String, String> data) {
  public Layer {
    data = Map.copyOf(data);
  }
}
