package dev.qemuoperator.machine;

import dev.qemuoperator.pki.CertificateAuthority;
import dev.qemuoperator.pod.VmObjects;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.net.HttpURLConnection;
import java.time.Clock;

/** The certificate authority of this installation, in a Secret that is made at the first start. */
final class AuthorityStore {

  static final String SECRET = "qemu-operator-ca";

  private final KubernetesClient client;
  private final String namespace;
  private final Clock clock;

  AuthorityStore(KubernetesClient client, String namespace, Clock clock) {
    this.client = client;
    this.namespace = namespace;
    this.clock = clock;
  }

  CertificateAuthority loadOrCreate() {
    Resource<Secret> resource = client.secrets().inNamespace(namespace).withName(SECRET);
    Secret existing = resource.get();
    if (existing != null) {
      return parse(existing);
    }
    CertificateAuthority fresh = CertificateAuthority.generate(clock);
    try {
      client.resource(secret(fresh)).create();
      return fresh;
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
        throw e;
      }
      return parse(resource.require()); // another replica was faster
    }
  }

  private Secret secret(CertificateAuthority authority) {
    return new SecretBuilder()
        .withNewMetadata()
        .withNamespace(namespace)
        .withName(SECRET)
        .addToLabels("app.kubernetes.io/managed-by", "qemu-operator")
        .endMetadata()
        .withStringData(authority.toPem())
        .build();
  }

  private static CertificateAuthority parse(Secret secret) {
    return CertificateAuthority.parse(VmObjects.files(secret));
  }
}
