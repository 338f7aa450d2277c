package dev.qemuoperator.qmp;

/** Makes what only QEMU's answers make, for tests of other packages. */
public final class QmpErrors {

  private QmpErrors() {}

  public static QmpErrorException refusal(String command) {
    return new QmpErrorException(command, "GenericError", "refused");
  }
}
