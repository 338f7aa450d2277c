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

/** A LAN that nodes are connected to by a Linux bridge, and the addresses that VMs have on it. */
@Group(VirtualMachine.GROUP)
@Version("v1alpha1")
@Kind(BridgeNetwork.KIND)
@Plural("bridgenetworks")
@Singular("bridgenetwork")
@ShortNames("qbn")
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(
    name = "Reason",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason")
@AdditionalPrinterColumn(name = "Bridge", jsonPath = ".spec.bridge")
@AdditionalPrinterColumn(name = "CIDR", jsonPath = ".spec.cidr")
@AdditionalPrinterColumn(name = "Used", jsonPath = ".status.used", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Free", jsonPath = ".status.free", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
public class BridgeNetwork extends CustomResource<BridgeNetworkSpec, BridgeNetworkStatus> {

  public static final String KIND = "BridgeNetwork";
  private static final long serialVersionUID = 1L;

  @Override
  @Required
  public BridgeNetworkSpec getSpec() {
    return super.getSpec();
  }

  /** The API server's default is as good as none. */
  @Override
  public void setStatus(BridgeNetworkStatus status) {
    boolean none =
        status != null
            && status.observedGeneration() != null
            && status.observedGeneration() == VirtualMachineStatus.NOTHING_OBSERVED;
    super.setStatus(none ? null : status);
  }
}
