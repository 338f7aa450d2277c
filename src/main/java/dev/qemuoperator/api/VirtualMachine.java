package dev.qemuoperator.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;

/** A QEMU virtual machine in a pod of its own. Its pod and its Service carry its name. */
@Group(VirtualMachine.GROUP)
@Version("v1alpha1")
@Kind(VirtualMachine.KIND)
@Plural("virtualmachines")
@Singular("virtualmachine")
@ShortNames("qvm")
@ValidationRule(
    value = "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$')",
    message =
        "metadata.name must be a DNS label that starts with a letter (a-z, 0-9, '-', at most 63"
            + " characters): pod, Service and guest carry it")
@AdditionalPrinterColumn(name = "Status", jsonPath = ".status.state")
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "IP", jsonPath = ".status.networks[0].addresses[0]")
@AdditionalPrinterColumn(name = "Node", jsonPath = ".status.nodeName")
@AdditionalPrinterColumn(name = "CPU", jsonPath = ".spec.cpu.cores", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Mem", jsonPath = ".spec.memory.size")
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
@AdditionalPrinterColumn(name = "MAC", jsonPath = ".status.networks[0].macAddress", priority = 1)
@AdditionalPrinterColumn(name = "Accel", jsonPath = ".status.process.accelerator", priority = 1)
@AdditionalPrinterColumn(
    name = "Restarts",
    jsonPath = ".status.process.restarts",
    type = Type.INTEGER,
    priority = 1)
@AdditionalPrinterColumn(name = "LastExit", jsonPath = ".status.lastExit.cause", priority = 1)
public class VirtualMachine extends CustomResource<VirtualMachineSpec, VirtualMachineStatus>
    implements Namespaced {

  public static final String GROUP = "qemu-operator.dev";
  public static final String KIND = "VirtualMachine";
  private static final long serialVersionUID = 1L;

  @Override
  @Required
  public VirtualMachineSpec getSpec() {
    return super.getSpec();
  }

  /** The API server's default is as good as none. */
  @Override
  public void setStatus(VirtualMachineStatus status) {
    boolean none =
        status != null
            && status.observedGeneration() != null
            && status.observedGeneration() == VirtualMachineStatus.NOTHING_OBSERVED;
    super.setStatus(none ? null : status);
  }
}
