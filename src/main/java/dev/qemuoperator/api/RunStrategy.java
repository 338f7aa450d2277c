package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** When the guest runs. */
public enum RunStrategy {
  /** Started, and started again whenever it ends. */
  @JsonProperty("Always")
  ALWAYS,
  /** Started again when it fails; a guest that powers itself off stays off. */
  @JsonProperty("RerunOnFailure")
  RERUN_ON_FAILURE,
  /** Started a single time, whatever becomes of it. */
  @JsonProperty("Once")
  ONCE,
  /** Powered off. */
  @JsonProperty("Halted")
  HALTED
}
