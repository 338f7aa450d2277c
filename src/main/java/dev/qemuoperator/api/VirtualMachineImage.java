package dev.qemuoperator.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.generator.annotation.Required;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;

/**
 * A base image by name, for the disks of any namespace. Each node that needs it fetches it once.
 */
@Group(VirtualMachine.GROUP)
@Version("v1alpha1")
@Kind(VirtualMachineImage.KIND)
@Plural("virtualmachineimages")
@Singular("virtualmachineimage")
@ShortNames("qvmi")
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(
    name = "Reason",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason")
@AdditionalPrinterColumn(name = "VMs", jsonPath = ".status.virtualMachines", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
@AdditionalPrinterColumn(name = "Source", jsonPath = ".status.source", priority = 1)
@AdditionalPrinterColumn(name = "Digest", jsonPath = ".status.digest", priority = 1)
public class VirtualMachineImage
    extends CustomResource<VirtualMachineImageSpec, VirtualMachineImageStatus> {

  public static final String KIND = "VirtualMachineImage";
  private static final long serialVersionUID = 1L;

  @Override
  @Required
  public VirtualMachineImageSpec getSpec() {
    return super.getSpec();
  }

  /** The API server's default is as good as none. */
  @Override
  public void setStatus(VirtualMachineImageStatus status) {
    boolean none =
        status != null
            && status.observedGeneration() != null
            && status.observedGeneration() == VirtualMachineStatus.NOTHING_OBSERVED;
    super.setStatus(none ? null : status);
  }
}
