package dev.qemuoperator.qmp;

import java.io.IOException;
import java.io.Serial;

/** QEMU understood the command and refused it; the connection is as good as before. */
public final class QmpErrorException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  private final String errorClass;

  QmpErrorException(String command, String errorClass, String description) {
    super(command + ": " + description);
    this.errorClass = errorClass;
  }

  /** QEMU's own: {@code GenericError}, {@code DeviceNotFound}, {@code CommandNotFound} … */
  public String errorClass() {
    return errorClass;
  }
}
