package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachineSpec;

/** Specs of tests, from YAML as users write it, with the API server's defaults. */
public final class Specs {

  private Specs() {}

  /**
   * A spec.
   *
   * @param fields lines of YAML below {@code spec:}
   */
  public static VirtualMachineSpec of(String fields) {
    return ApiServerDefaults.virtualMachine(
            """
            apiVersion: qemu-operator.dev/v1alpha1
            kind: VirtualMachine
            metadata: {name: web}
            spec:
            """
                + fields.indent(2))
        .getSpec();
  }
}
