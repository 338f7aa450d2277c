package dev.qemuoperator.status;

/**
 * What a check found: a condition without its type and times.
 *
 * @param status True, False or Unknown
 * @param reason CamelCase, one of the constants documented in {@code api}
 * @param message for people: what is so and, unless all is well, what to do
 */
public record Verdict(String status, String reason, String message) {

  private static final int LONGEST_MESSAGE = 4096;

  public Verdict {
    if (message.length() > LONGEST_MESSAGE) {
      message = message.substring(0, LONGEST_MESSAGE - 1) + "…";
    }
  }

  public static Verdict yes(String reason, String message) {
    return new Verdict("True", reason, message);
  }

  public static Verdict no(String reason, String message) {
    return new Verdict("False", reason, message);
  }

  public static Verdict unknown(String reason, String message) {
    return new Verdict("Unknown", reason, message);
  }

  public boolean isTrue() {
    return "True".equals(status);
  }

  public boolean isUnknown() {
    return "Unknown".equals(status);
  }
}
