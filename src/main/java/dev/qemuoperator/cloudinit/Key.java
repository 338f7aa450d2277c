package dev.qemuoperator.cloudinit;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The files of a NoCloud seed, and the keys under which a layer may have them. */
enum Key {
  USER_DATA("user-data", "userData"),
  VENDOR_DATA("vendor-data", "vendorData"),
  NETWORK_CONFIG("network-config", "networkConfig"),
  META_DATA("meta-data", "metaData");

  final String file;
  private final String camelCase;

  Key(String file, String camelCase) {
    this.file = file;
    this.camelCase = camelCase;
  }

  /** Under what name the layer has it; more than one is a mistake. */
  List<String> namesIn(Layer layer) {
    return Stream.of(file, camelCase).filter(layer.data()::containsKey).toList();
  }

  /** Blank text counts as none, as in cloud-init. */
  Optional<Input> in(Layer layer) {
    return namesIn(layer).stream()
        .map(name -> new Input(layer.origin(), layer.confidential(), name, layer.data().get(name)))
        .filter(input -> !input.text().isBlank())
        .findFirst();
  }

  static String all() {
    return Stream.of(values())
        .map(key -> key.file + " (or " + key.camelCase + ")")
        .collect(Collectors.joining(", "));
  }
}
