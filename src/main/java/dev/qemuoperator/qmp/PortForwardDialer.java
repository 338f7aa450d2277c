package dev.qemuoperator.qmp;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.LocalPortForward;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * Dials through the API server's port-forward: an operator outside of the cluster, as in tests and
 * development. A port on which nobody listens shows as an end of file, not as a refusal.
 */
public final class PortForwardDialer implements Dialer {
  private final KubernetesClient client;

  public PortForwardDialer(KubernetesClient client) {
    this.client = client;
  }

  @Override
  public Socket dial(Endpoint endpoint, int port) throws IOException {
    LocalPortForward forward = forward(endpoint, port);
    Socket socket = new ForwardedSocket(forward);
    try {
      socket.connect(new InetSocketAddress(forward.getLocalAddress(), forward.getLocalPort()));
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private LocalPortForward forward(Endpoint endpoint, int port) throws IOException {
    try {
      return client
          .pods()
          .inNamespace(endpoint.namespace())
          .withName(endpoint.pod())
          .portForward(port, InetAddress.getLoopbackAddress(), 0);
    } catch (KubernetesClientException e) {
      throw new IOException("port-forward failed: " + e.getMessage(), e);
    }
  }

  /** The forward lives as long as its one connection. */
  private static final class ForwardedSocket extends Socket {
    private final LocalPortForward forward;

    ForwardedSocket(LocalPortForward forward) {
      this.forward = forward;
    }

    @Override
    public void close() throws IOException {
      try (forward) {
        super.close();
      }
    }
  }
}
