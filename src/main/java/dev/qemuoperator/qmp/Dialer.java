package dev.qemuoperator.qmp;

import java.io.IOException;
import java.net.Socket;

/** How to get a TCP connection to a port of a VM's pod. */
public interface Dialer {

  /**
   * @throws java.net.ConnectException if nobody listens there (yet)
   * @throws java.net.SocketTimeoutException if nobody answers
   */
  Socket dial(Endpoint endpoint, int port) throws IOException;
}
