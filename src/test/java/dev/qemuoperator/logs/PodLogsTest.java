package dev.qemuoperator.logs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PodLogsTest {

  @Test
  void consoleOfAGuestIsTextAndNothingElse() {
    assertThat(PodLogs.printable("\u001b[1;31mpanic\u001b[0m\r\n\u0007at b\0oot\n"))
        .isEqualTo("panic\nat boot\n");
  }

  @Test
  void onlyTheEndOfALongConsoleIsKept() {
    assertThat(PodLogs.printable("x".repeat(10_000) + "end")).hasSize(4096).endsWith("end");
  }
}
