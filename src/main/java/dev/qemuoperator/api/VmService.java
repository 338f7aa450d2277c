package dev.qemuoperator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.Map;

/** How the VM's Service offers its ports. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",
    message = "loadBalancerClass is for the type LoadBalancer: set that, or leave the class out")
@ValidationRule(
    value = "!has(self.externalTrafficPolicy) || self.type != 'ClusterIP'",
    message =
        "externalTrafficPolicy is for the types NodePort and LoadBalancer: set one of them, or leave"
            + " the policy out")
@ValidationRule(
    value =
        "self.type != 'LoadBalancer' || oldSelf.type != 'LoadBalancer'"
            + " || (has(self.loadBalancerClass) ? has(oldSelf.loadBalancerClass)"
            + " && self.loadBalancerClass == oldSelf.loadBalancerClass"
            + " : !has(oldSelf.loadBalancerClass))",
    message =
        "loadBalancerClass cannot change while the type is LoadBalancer: set the type ClusterIP first,"
            + " then LoadBalancer with the other class")
@ValidationRule(
    value =
        "!has(self.annotations) || self.annotations.all(k, !k.startsWith('qemu-operator.dev/'))",
    message = "annotations under qemu-operator.dev/ are the operator's own: leave them out")
public record VmService(
    @JsonPropertyDescription(
            "ClusterIP: in the cluster. NodePort: at a port of every node, too. LoadBalancer: at an"
                + " address that the cluster's load balancer gives, too.")
        @Default("ClusterIP")
        Type type,
    @JsonPropertyDescription(
            "Annotations of the Service, such as those that load balancers and external-dns read.")
        @Size(max = 32)
        Map<String, @Size(max = 4096) String> annotations,
    @JsonPropertyDescription("As in a Service; only with the type LoadBalancer.")
        @Size(max = 316)
        @Pattern(
            "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
        String loadBalancerClass,
    @JsonPropertyDescription(
            "As in a Service. Local: the guest sees the client's own address, and only the VM's node answers."
                + " Cluster, the default: every node answers, and the guest may see a node's address.")
        TrafficPolicy externalTrafficPolicy) {

  /** Type of a Service. */
  public enum Type {
    @JsonProperty("ClusterIP")
    CLUSTER_IP("ClusterIP"),
    @JsonProperty("NodePort")
    NODE_PORT("NodePort"),
    @JsonProperty("LoadBalancer")
    LOAD_BALANCER("LoadBalancer");

    private final String word;

    Type(String word) {
      this.word = word;
    }

    /** As Kubernetes writes it. */
    public String word() {
      return word;
    }
  }

  /** Which nodes pass traffic from outside on. */
  public enum TrafficPolicy {
    @JsonProperty("Cluster")
    CLUSTER("Cluster"),
    @JsonProperty("Local")
    LOCAL("Local");

    private final String word;

    TrafficPolicy(String word) {
      this.word = word;
    }

    /** As Kubernetes writes it. */
    public String word() {
      return word;
    }
  }
}
