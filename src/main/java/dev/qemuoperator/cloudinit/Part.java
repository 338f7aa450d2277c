package dev.qemuoperator.cloudinit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One part of user-data or vendor-data.
 *
 * @param type the content type by which cloud-init picks the handler
 * @param headers lines as they stand in the MIME message
 * @param body as it stands in the MIME message, that is, transfer-encoded
 * @param line of the source in which the body starts, null if lines of the body are not lines of it
 */
record Part(String type, List<String> headers, String body, Integer line) {
  Part {
    headers = List.copyOf(headers);
  }

  /** A part whose content comes out in the guest exactly as it is here. */
  static Part of(String type, List<String> moreHeaders, byte[] content, Integer line) {
    var headers = new ArrayList<String>();
    headers.add("Content-Type: " + type);
    headers.addAll(moreHeaders);
    String text = new String(content, UTF_8);
    if (isPlain(text)) {
      return new Part(type, headers, text, line);
    }
    // Python's e-mail parser, which cloud-init uses, decodes 8bit bodies as raw-unicode-escape: an
    // umlaut would come out broken
    headers.add("Content-Transfer-Encoding: base64");
    return new Part(
        type, headers, Base64.getMimeEncoder(76, new byte[] {'\n'}).encodeToString(content), line);
  }

  static Part of(String type, String content) {
    return of(type, List.of(), content.getBytes(UTF_8), 1);
  }

  Part with(String header) {
    var more = new ArrayList<>(headers);
    more.add(header);
    return new Part(type, more, body, line);
  }

  Part as(String otherType) {
    return new Part(otherType, headers, body, line);
  }

  Optional<String> header(String name) {
    return Mime.header(headers, name);
  }

  /** The content; empty if its encoding is one that is not looked into. */
  Optional<String> text() {
    String encoding = header("Content-Transfer-Encoding").orElse("8bit").toLowerCase(Locale.ROOT);
    return switch (encoding) {
      case "7bit", "8bit", "binary" -> Optional.of(body);
      case "base64" -> decoded();
      default -> Optional.empty();
    };
  }

  private Optional<String> decoded() {
    try {
      return Optional.of(new String(Base64.getMimeDecoder().decode(body), UTF_8));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static boolean isPlain(String text) {
    return text.chars().allMatch(c -> c == '\n' || c == '\t' || (c >= ' ' && c <= '~'));
  }
}
