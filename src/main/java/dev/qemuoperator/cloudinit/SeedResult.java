package dev.qemuoperator.cloudinit;

import java.util.List;
import java.util.Optional;

/** The seed, or every reason why there is none. */
public record SeedResult(Optional<Seed> seed, List<Finding> findings) {
  public SeedResult {
    findings = List.copyOf(findings);
  }
}
