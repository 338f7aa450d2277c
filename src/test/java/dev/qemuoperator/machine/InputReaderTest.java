package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InputReaderTest {

  @Test
  void consoleOfAGuestIsTextAndNothingElse() {
    assertThat(InputReader.printable("\u001b[1;31mpanic\u001b[0m\r\n\u0007at b\0oot\n"))
        .isEqualTo("panic\nat boot\n");
  }

  @Test
  void onlyTheEndOfALongConsoleIsKept() {
    assertThat(InputReader.printable("x".repeat(10_000) + "end")).hasSize(4096).endsWith("end");
  }
}
