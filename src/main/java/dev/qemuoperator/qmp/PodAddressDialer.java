package dev.qemuoperator.qmp;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.time.Duration;

/** Dials the pod's own address: the operator in the cluster. */
public final class PodAddressDialer implements Dialer {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);

  @Override
  public Socket dial(Endpoint endpoint, int port) throws IOException {
    Socket socket = new Socket();
    try {
      socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
      socket.connect(
          new InetSocketAddress(ip(endpoint), port), Math.toIntExact(CONNECT_TIMEOUT.toMillis()));
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** A literal only: an empty string would mean this host, a name would be asked of the DNS. */
  private static InetAddress ip(Endpoint endpoint) throws ConnectException {
    if (endpoint.address() == null) {
      throw new ConnectException("the pod has no address");
    }
    try {
      return InetAddress.ofLiteral(endpoint.address());
    } catch (IllegalArgumentException e) {
      throw new ConnectException("not an IP address: " + endpoint.address());
    }
  }
}
