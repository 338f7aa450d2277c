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
 * A named directory of the nodes, and the only way in which a path of a node ever reaches a virtual
 * machine. It has no status: what is in it, only a node can tell.
 */
@Group(VirtualMachine.GROUP)
@Version("v1alpha1")
@Kind(HostPathRoot.KIND)
@Plural("hostpathroots")
@Singular("hostpathroot")
@ShortNames("hpr")
@AdditionalPrinterColumn(name = "NodePath", jsonPath = ".spec.nodePath")
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
public class HostPathRoot extends CustomResource<HostPathRootSpec, Void> {

  public static final String KIND = "HostPathRoot";
  private static final long serialVersionUID = 1L;

  @Override
  @Required
  public HostPathRootSpec getSpec() {
    return super.getSpec();
  }
}
