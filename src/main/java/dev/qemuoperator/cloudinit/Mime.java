package dev.qemuoperator.cloudinit;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * MIME messages as far as cloud-init's user-data has them:
 * https://cloudinit.readthedocs.io/en/latest/explanation/format/mime.html.
 */
final class Mime {
  private static final Pattern FIELD = Pattern.compile("[!-9;-~]+:.*");
  private static final Pattern BOUNDARY =
      Pattern.compile(
          ";\\s*boundary\\s*=\\s*(?:\"([^\"]*)\"|([^;\\s]+))", Pattern.CASE_INSENSITIVE);

  private Mime() {}

  /** Why a message cannot be read, with the line of the text in which it shows. */
  record Problem(int line, String message) {}

  /** Whether the text starts with the header of a message that names its MIME version. */
  static boolean isMessage(String text) {
    List<String> header = head(lines(text));
    return !header.isEmpty()
        && FIELD.matcher(header.getFirst()).matches()
        && header(header, "MIME-Version").isPresent();
  }

  /**
   * Whether cloud-init takes the text for a MIME message: it looks for this word anywhere in the
   * first 4096 bytes (convert_string in cloudinit/user_data.py), so that a cloud-config which
   * writes an e-mail template is taken for one.
   */
  static boolean isTakenForMessage(String text) {
    return text.substring(0, Math.min(4096, text.length()))
        .toLowerCase(Locale.ROOT)
        .contains("mime-version:");
  }

  /** The parts that are not themselves multipart, in order, as cloud-init walks them. */
  static List<Part> parts(String text, Consumer<Problem> problems) {
    var parts = new ArrayList<Part>();
    collect(lines(text), 1, parts, problems);
    return parts;
  }

  private static void collect(
      List<String> lines, int first, List<Part> parts, Consumer<Problem> problems) {
    List<String> headers = head(lines);
    for (int i = 0; i < headers.size(); i++) {
      if (!FIELD.matcher(headers.get(i)).matches() && !isContinuation(headers.get(i))) {
        problems.accept(
            new Problem(first + i, "the headers of a MIME part must end with an empty line"));
        return;
      }
    }
    int start = Math.min(headers.size() + 1, lines.size());
    List<String> body = lines.subList(start, lines.size());
    String contentType = header(headers, "Content-Type").orElse("text/plain");
    String type = contentType.replaceFirst(";.*", "").strip().toLowerCase(Locale.ROOT);
    if (type.startsWith("multipart/")) {
      split(contentType, body, first + start, first, parts, problems);
    } else {
      boolean encoded =
          header(headers, "Content-Transfer-Encoding").orElse("").matches("(?i)base64");
      parts.add(new Part(type, headers, String.join("\n", body), encoded ? null : first + start));
    }
  }

  private static void split(
      String contentType,
      List<String> body,
      int first,
      int headerLine,
      List<Part> parts,
      Consumer<Problem> problems) {
    var boundary = BOUNDARY.matcher(contentType);
    if (!boundary.find()) {
      problems.accept(new Problem(headerLine, "a multipart Content-Type without a boundary"));
      return;
    }
    String delimiter = "--" + (boundary.group(1) == null ? boundary.group(2) : boundary.group(1));
    int start = -1;
    int end = body.size();
    for (int i = 0; i < body.size() && end == body.size(); i++) {
      String line = body.get(i).stripTrailing();
      boolean last = line.equals(delimiter + "--");
      if (last || line.equals(delimiter)) {
        if (start >= 0) {
          collect(body.subList(start, i), first + start, parts, problems);
        }
        start = i + 1;
        end = last ? i : end;
      }
    }
    if (start < 0) {
      problems.accept(
          new Problem(headerLine, "the boundary of the multipart message never occurs"));
    } else if (end == body.size()) {
      // Python's parser takes an unterminated last part as it is
      collect(body.subList(start, end), first + start, parts, problems);
    }
  }

  /** A multipart/mixed of the parts; the same parts give the same text. */
  static String write(List<Part> parts) {
    String content =
        parts.stream()
            .map(part -> String.join("\n", part.headers()) + "\n\n" + part.body())
            .collect(Collectors.joining("\n"));
    // made of the content, so that it is stable and does not occur in it
    String boundary = "qemu-operator-" + Seed.sha256(content).substring(0, 20);
    var text = new StringBuilder();
    text.append("Content-Type: multipart/mixed; boundary=\"").append(boundary).append("\"\n");
    text.append("MIME-Version: 1.0\n\n");
    for (Part part : parts) {
      text.append("--").append(boundary).append('\n');
      part.headers().forEach(header -> text.append(header).append('\n'));
      text.append('\n').append(part.body()).append('\n');
    }
    return text.append("--").append(boundary).append("--\n").toString();
  }

  /** The value of a header, unfolded. */
  static Optional<String> header(List<String> headers, String name) {
    String value = null;
    for (String line : headers) {
      if (value != null) {
        if (!isContinuation(line)) {
          return Optional.of(value);
        }
        value += " " + line.strip();
      } else if (line.regionMatches(true, 0, name + ":", 0, name.length() + 1)) {
        value = line.substring(name.length() + 1).strip();
      }
    }
    return Optional.ofNullable(value);
  }

  private static List<String> head(List<String> lines) {
    return lines.stream().map(String::stripTrailing).takeWhile(line -> !line.isEmpty()).toList();
  }

  private static boolean isContinuation(String line) {
    return line.startsWith(" ") || line.startsWith("\t");
  }

  private static List<String> lines(String text) {
    return List.of(text.split("\n", -1));
  }
}
