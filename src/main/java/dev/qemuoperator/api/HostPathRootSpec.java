package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.Map;

/** Which directory, and of which nodes. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "self.nodePath.matches('^(/[.]?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$')",
    message =
        "nodePath must be an absolute path of plain characters (A-Z, a-z, 0-9, '.', '_', '-', '@',"
            + " '+') without '..', '//' and a '/' at its end, such as /srv/images")
@ValidationRule(
    value =
        "!['/etc', '/proc', '/sys', '/dev', '/boot', '/root', '/run', '/var/run', '/usr', '/bin',"
            + " '/sbin', '/lib', '/lib64', '/var/log', '/var/snap', '/var/lib/kubelet',"
            + " '/var/lib/containerd', '/var/lib/docker', '/var/lib/containers', '/var/lib/crio',"
            + " '/var/lib/rancher', '/var/lib/k0s', '/var/lib/etcd', '/var/lib/cni', '/opt/cni',"
            + " '/opt/containerd', '/var/lib/qemu-operator'].exists(d, self.nodePath == d ||"
            + " self.nodePath.startsWith(d + '/') || d.startsWith(self.nodePath + '/'))",
    message =
        "nodePath must be no directory of the system, the kubelet, the container runtime, etcd or the"
            + " operator, and neither in one nor above one; make one for the purpose, such as"
            + " /srv/images")
public record HostPathRootSpec(
    @JsonPropertyDescription(
            "The directory on each node. A node that has none gets an empty one when a pod needs it.")
        @Required
        @Size(max = 512)
        String nodePath,
    @JsonPropertyDescription(
            "Labels of the nodes that have it, where not all do: a VirtualMachine that cannot get its"
                + " image in another way goes to one of them.")
        Map<String, String> nodeSelector) {}
