package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** When the guest runs. */
public enum RunStrategy {
  @JsonProperty("Always")
  ALWAYS,
  @JsonProperty("Halted")
  HALTED
}
