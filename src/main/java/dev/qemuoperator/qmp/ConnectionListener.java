package dev.qemuoperator.qmp;

/** Told of each connection to a QEMU, on the thread of its VM; for counting. Must not block. */
public interface ConnectionListener {

  /** QEMU has greeted. */
  void opened();

  /**
   * A connection that was opened is no more.
   *
   * @param lost that it broke: QEMU had not announced its end, and the VM is still watched
   */
  void closed(boolean lost);
}
