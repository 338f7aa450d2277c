package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import java.util.List;
import java.util.Map;

/** What the user wants. The operator never writes it. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    // an empty drive will do: the system that was installed from it is on a disk that began blank
    value =
        "self.disks.exists(d, !has(d.source.blank)"
            + " || has(d.storage.claim) && has(d.storage.claim.existing)) || self.cdroms.size() > 0",
    message =
        "at least one disk must have a source with an operating system (image, http or"
            + " containerImage) or be on an existing claim, or there must be a CD-ROM drive to"
            + " install one from, which may be empty afterwards: blank disks alone cannot boot")
@ValidationRule(
    value =
        "self.disks.all(d, !has(d.storage.claim) || !has(d.storage.claim.existing)"
            + " || self.disks.filter(o, has(o.storage.claim) && has(o.storage.claim.existing)"
            + " && o.storage.claim.existing == d.storage.claim.existing).size() == 1)",
    message = "no two disks can be on the same existing claim: each needs one of its own")
@ValidationRule(
    value =
        "!has(self.machine.firmware) || self.machine.firmware != 'UEFI'"
            + " || !self.disks.all(d, has(d.storage.claim) && has(d.storage.claim.volumeMode)"
            + " && d.storage.claim.volumeMode == 'Block')",
    message =
        "UEFI keeps its variables in a file beside a disk, and a volume of the mode Block has no"
            + " files: give one of the disks the mode Filesystem")
@ValidationRule(
    value = "self.cdroms.all(c, !self.disks.exists(d, d.name == c.name))",
    message = "a CD-ROM drive and a disk must not have the same name")
@ValidationRule(
    value = "self.disks.filter(d, d.bus == 'SATA').size() + self.cdroms.size() <= 6",
    message =
        "the SATA bus has room for 6 disks and CD-ROM drives: give some disks the bus Virtio or SCSI")
@ValidationRule(
    value =
        "self.disks.all(d, !has(d.bootOrder)"
            + " || self.disks.filter(o, has(o.bootOrder) && o.bootOrder == d.bootOrder).size() == 1"
            + " && !self.cdroms.exists(c, has(c.bootOrder) && c.bootOrder == d.bootOrder))"
            + " && self.cdroms.all(c, !has(c.bootOrder)"
            + " || self.cdroms.filter(o, has(o.bootOrder) && o.bootOrder == c.bootOrder).size() == 1)",
    message = "no two disks or CD-ROM drives can have the same bootOrder")
@ValidationRule(
    value =
        "!has(self.readinessProbe) || !has(self.readinessProbe.cloudInit) || has(self.cloudInit)"
            + " || has(self.ssh)",
    message =
        "readinessProbe.cloudInit needs spec.cloudInit (such as cloudInit: {}) or spec.ssh: without a"
            + " seed nothing reports the end of cloud-init")
@ValidationRule(
    value = "self.networks.filter(n, has(n.pod)).size() <= 1",
    message = "only one of the networks can be the pod network")
@ValidationRule(
    value =
        "self.networks.exists(n, has(n.pod)) || !has(self.ports) && (!has(self.readinessProbe)"
            + " || has(self.readinessProbe.cloudInit))",
    message =
        "ports, readinessProbe.tcpSocket and readinessProbe.httpGet reach the guest through the pod's"
            + " address: add a network with pod: {}, or use readinessProbe.cloudInit")
@ValidationRule(
    value = "!has(self.service) || has(self.ports) && self.ports.size() > 0",
    message = "service says how ports are offered: name at least one in spec.ports")
@ValidationRule(
    value =
        "!has(self.ports) || has(self.service) && self.service.type != 'ClusterIP'"
            + " || self.ports.all(p, !has(p.nodePort))",
    message =
        "ports[].nodePort is for service.type NodePort or LoadBalancer: set one of them, or leave the"
            + " nodePort out")
public record VirtualMachineSpec(
    @JsonPropertyDescription(
            "When the guest runs. Always: it is started, and started again whenever it ends."
                + " RerunOnFailure: it is started again when it fails; once it has powered itself off, it stays"
                + " off. Once: it is started a single time. Halted: it is powered off by its power button; disks"
                + " are kept. To start again what stays off: set the annotation"
                + " qemu-operator.dev/restart-requested-at, or Halted in between.")
        @Default("Always")
        RunStrategy runStrategy,
    @JsonPropertyDescription(
            "true: the guest's CPUs are stopped, its memory is kept. Applies at once.")
        @Default("false")
        Boolean paused,
    @Default("{}") Machine machine,
    @Default("{}") Cpu cpu,
    @Default("{}") Memory memory,
    @JsonPropertyDescription(
            "The disks. The first one is the boot disk, unless bootOrder says otherwise.")
        @Required
        @Size(min = 1, max = 10)
        List<Disk> disks,
    @JsonPropertyDescription("The CD-ROM drives.") @Size(max = 4) @Default("[]") List<Cdrom> cdroms,
    @JsonPropertyDescription(
            "The network cards, in the order in which the guest finds them. The first one has the default"
                + " route. Default: one on the pod network; []: none.")
        @Size(max = 4)
        @Default("[{\"name\": \"default\", \"pod\": {}}]")
        List<Network> networks,
    @JsonPropertyDescription(
            "Ports of the guest that a Service of the VM's name offers. Every other port"
                + " is reachable at the pod's address all the same.")
        @Size(max = 32)
        List<Port> ports,
    @JsonPropertyDescription("Default: a Service of the type ClusterIP, if there are ports.")
        VmService service,
    CloudInit cloudInit,
    Ssh ssh,
    ReadinessProbe readinessProbe,
    @JsonPropertyDescription(
            "Seconds from the press of the power button until the guest's process is killed.")
        @Default("120")
        @Min(5)
        @Max(86400)
        Integer terminationGracePeriodSeconds,
    @JsonPropertyDescription("Labels that the node must have; as in a Pod.")
        Map<String, String> nodeSelector,
    @JsonPropertyDescription("As in a Pod; the API server checks it when the pod is made.")
        @PreserveUnknownFields
        Affinity affinity,
    @JsonPropertyDescription("As in a Pod.") List<Toleration> tolerations,
    @JsonPropertyDescription("As in a Pod; the API server checks it when the pod is made.")
        @PreserveUnknownFields
        List<TopologySpreadConstraint> topologySpreadConstraints,
    @JsonPropertyDescription("As in a Pod.") @Size(max = 253) String priorityClassName) {}
