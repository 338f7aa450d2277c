package dev.qemuoperator.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EventRecorderTest {

  @Test
  void longNoteIsCutToTheBytesThatTheApiServerTakes() {
    String note = EventRecorder.shortened("ä".repeat(2000));
    assertThat(note.getBytes(UTF_8)).hasSizeLessThanOrEqualTo(1024);
    assertThat(note).endsWith("ä...");
  }

  @Test
  void noteThatFitsIsLeftAlone() {
    assertThat(EventRecorder.shortened("x".repeat(1024))).hasSize(1024).doesNotContain(".");
  }
}
