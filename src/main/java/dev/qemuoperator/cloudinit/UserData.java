package dev.qemuoperator.cloudinit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Several texts of user-data (or vendor-data) as one, merged in the guest by cloud-init itself:
 * https://cloudinit.readthedocs.io/en/latest/reference/merging.html.
 *
 * <p>Of cloud-config, maps are merged deeply, lists are appended in the order of the sources, and
 * of anything else the later source wins. cloud-init has no such merger: {@code dict(replace)}, its
 * default, drops the whole map of the earlier part, and {@code dict(no_replace)} keeps what came
 * first. So the cloud-config parts are sent in reverse order, each to be merged under what is
 * already there.
 *
 * <p>Limits, all of them cloud-init's: what an {@code #include} fetches cannot be given a merge
 * type and counts as the last source; where a later source has a list and an earlier one a map, the
 * map's keys are put into the list; a {@code merge_how} in a part's own YAML, or its own Merge-Type
 * header, replaces ours for that part, which is merged into the sources after it.
 */
final class UserData {
  // Read by CloudConfigPartHandler._extract_mergers from the header of each part, for the merge of
  // that part into those before it. No str(): the dict merger would not use it for strings, but the
  // list merger would, and give a string of a later source up for a list of an earlier one.
  static final String MERGE_TYPE = "Merge-Type: list(prepend)+dict(no_replace,recurse_list)";

  /** What a seed has if no source has user-data; NoCloud wants the file. */
  static final String NONE = "#cloud-config\n{}\n";

  private static final String MIME_PAGE =
      "https://cloudinit.readthedocs.io/en/latest/explanation/format/mime.html";

  private static final String CONFIG = "text/cloud-config";
  private static final String ARCHIVE = "text/cloud-config-archive";
  private static final String JINJA = "text/jinja2";
  private static final String JSON_PATCH = "text/cloud-config-jsonp";
  private static final String UNKNOWN = "text/x-not-multipart";
  private static final Set<String> INCLUDES =
      Set.of("text/x-include-url", "text/x-include-once-url");

  // type_from_starts_with in cloudinit/handlers/__init__.py: longest first, any case, after any
  // white space
  private static final List<Map.Entry<String, String>> HEADERS =
      List.of(
          Map.entry("#cloud-config-archive", ARCHIVE),
          Map.entry("#cloud-config-jsonp", JSON_PATCH),
          Map.entry("## template: jinja", JINJA),
          Map.entry("#cloud-boothook", "text/cloud-boothook"),
          Map.entry("#include-once", "text/x-include-once-url"),
          Map.entry("#cloud-config", CONFIG),
          Map.entry("#part-handler", "text/part-handler"),
          Map.entry("#include", "text/x-include-url"),
          Map.entry("#!", "text/x-shellscript"));

  // UserDataProcessor._process_msg looks at the content of these only
  private static final Set<String> TYPES_BY_CONTENT =
      Set.of("text/plain", UNKNOWN, "text/x-shellscript");

  static final String KNOWN_HEADERS =
      "#cloud-config, #cloud-config-archive, #cloud-boothook, #include, #include-once,"
          + " #part-handler, #! (a script), ## template: jinja, or a MIME message that starts with"
          + " Content-Type: and MIME-Version:";

  private UserData() {}

  /** One text, unless cloud-init would misread it, as it is. */
  static String of(Input input, List<Part> parts) {
    boolean misread = Mime.isTakenForMessage(input.text()) && !Mime.isMessage(input.text());
    return misread ? merge(List.of(parts)) : input.text();
  }

  /** The parts of each source, in the order of the sources, as one MIME message. */
  static String merge(List<List<Part>> sources) {
    var includes = new ArrayList<Part>();
    var configs = new ArrayList<Part>();
    var others = new ArrayList<Part>();
    for (Part part : sources.stream().flatMap(List::stream).toList()) {
      if (INCLUDES.contains(part.type())) {
        includes.add(part);
      } else if (isConfig(part)) {
        configs.add(mergeable(part));
      } else {
        others.add(part);
      }
    }
    // Includes first: after the others, with cloud-init's default, they would replace whole keys.
    // The others after the cloud-config, because one of them may be a JSON patch to it.
    var parts = new ArrayList<>(includes);
    parts.addAll(configs.reversed());
    parts.addAll(others);
    return parts.isEmpty() ? NONE : Mime.write(parts);
  }

  /** The parts of one text in its order, and findings for all that cloud-init would not take. */
  static List<Part> parts(Input input, List<Finding> findings) {
    String text = input.text();
    if (!Mime.isMessage(text)) {
      if (isMimeWithoutVersion(text)) {
        findings.add(
            input.finding(
                1, "a MIME message needs the header MIME-Version: 1.0, see " + MIME_PAGE));
        return List.of();
      }
      return typed(input, Part.of(UNKNOWN, text), "", findings);
    }
    if (!Mime.isTakenForMessage(text)) {
      findings.add(input.finding(1, "the header MIME-Version must be within the first 4096 bytes"));
      return List.of();
    }
    List<Part> raw = Mime.parts(text, p -> findings.add(input.finding(p.line(), p.message())));
    var parts = new ArrayList<Part>();
    for (int i = 0; i < raw.size(); i++) {
      parts.addAll(typed(input, raw.get(i), "MIME part " + (i + 1) + ": ", findings));
    }
    return parts;
  }

  private static boolean isMimeWithoutVersion(String text) {
    return text.regionMatches(true, 0, "Content-Type:", 0, 13)
        || text.regionMatches(true, 0, "MIME-Version:", 0, 13);
  }

  /** The part with the type that cloud-init gives it, checked; an archive as its entries. */
  private static List<Part> typed(Input input, Part part, String where, List<Finding> findings) {
    String content = part.text().orElse(null);
    if (content == null) {
      return List.of(part);
    }
    String type = part.type();
    if (TYPES_BY_CONTENT.contains(type)) {
      type = typeByContent(content);
      if (type == null) {
        findings.add(input.finding(part.line(), where + unknownHeader(input, content)));
        return List.of();
      }
    }
    Part typed = UNKNOWN.equals(part.type()) ? Part.of(type, content) : part.as(type);
    return switch (type) {
      case CONFIG -> config(input, typed, content, where, findings);
      case ARCHIVE -> archive(input, typed, content, where, findings);
      case JINJA -> jinja(input, typed, content, where, findings);
      default -> List.of(typed);
    };
  }

  private static List<Part> config(
      Input input, Part part, String content, String where, List<Finding> findings) {
    return switch (StrictYaml.parse(content)) {
      // cloud-init warns of an empty one, and then calls the boot degraded
      case StrictYaml.Parsed.Value(Object value) when value == null -> List.of();
      case StrictYaml.Parsed.Value(Object value) -> {
        if (!(value instanceof Map)) {
          findings.add(input.finding(part.line(), where + "#cloud-config must be a YAML map"));
        }
        yield List.of(part);
      }
      case StrictYaml.Parsed.Problem problem -> {
        findings.add(problemIn(input, part, where, problem));
        yield List.of(part);
      }
    };
  }

  /** As UserDataProcessor._explode_archive; done here so that its entries get a merge type. */
  private static List<Part> archive(
      Input input, Part part, String content, String where, List<Finding> findings) {
    switch (StrictYaml.parse(content)) {
      case StrictYaml.Parsed.Problem problem ->
          findings.add(problemIn(input, part, where, problem));
      case StrictYaml.Parsed.Value(List<?> entries) -> {
        var parts = new ArrayList<Part>();
        for (int i = 0; i < entries.size(); i++) {
          String entry = where + "archive entry " + (i + 1) + ": ";
          parts.addAll(archived(input, entries.get(i), entry, findings));
        }
        return parts;
      }
      case StrictYaml.Parsed.Value _ ->
          findings.add(
              input.finding(part.line(), where + "#cloud-config-archive must be a YAML list"));
    }
    return List.of();
  }

  private static List<Part> archived(
      Input input, Object entry, String where, List<Finding> findings) {
    Map<?, ?> fields = entry instanceof Map<?, ?> map ? map : Map.of();
    byte[] content =
        switch (entry instanceof Map ? fields.get("content") : entry) {
          case byte[] bytes -> bytes;
          case String text -> text.getBytes(UTF_8);
          case null, default -> null;
        };
    if (content == null) {
      findings.add(input.finding(null, where + "must be a text or a map with content"));
      return List.of();
    }
    String byContent = typeByContent(new String(content, UTF_8));
    String type =
        fields.get("type") instanceof String given ? given : byContent == null ? CONFIG : byContent;
    var headers = new ArrayList<String>();
    fields.forEach(
        (key, value) -> {
          String text = String.valueOf(value).replaceAll("[\r\n]+", " ");
          switch (String.valueOf(key).toLowerCase(Locale.ROOT)) {
            case "content", "type", "content-type", "content-transfer-encoding" -> {}
            case "filename" ->
                headers.add(
                    "Content-Disposition: attachment; filename=\"" + text.replace("\"", "") + "\"");
            default -> headers.add(String.valueOf(key).replaceAll("[^!-9;-~]", "") + ": " + text);
          }
        });
    return typed(input, Part.of(type, headers, content, null), where, findings);
  }

  private static List<Part> jinja(
      Input input, Part part, String content, String where, List<Finding> findings) {
    String rest = afterFirstLine(content);
    String type = typeByContent(rest);
    // A template may well begin with a statement; what it renders to is known in the guest only.
    if (type == null && !rest.startsWith("{")) {
      findings.add(
          input.finding(
              part.line() == null ? null : part.line() + 1,
              where + "after ## template: jinja, #cloud-config or a script (#!) must follow"));
    }
    return List.of(part);
  }

  private static boolean isConfig(Part part) {
    if (part.type().equals(JINJA)) {
      String type = typeByContent(part.text().map(UserData::afterFirstLine).orElse(""));
      return type == null || type.equals(CONFIG);
    }
    return part.type().equals(CONFIG);
  }

  private static Part mergeable(Part part) {
    boolean says = part.header("Merge-Type").isPresent() || part.header("X-Merge-Type").isPresent();
    return says ? part : part.with(MERGE_TYPE);
  }

  private static Finding problemIn(
      Input input, Part part, String where, StrictYaml.Parsed.Problem problem) {
    boolean known = part.line() != null && problem.line() != null;
    Integer line = known ? Integer.valueOf(part.line() + problem.line() - 1) : null;
    return input.finding(line, where + problem.message());
  }

  private static String unknownHeader(Input input, String content) {
    String first =
        content.lines().map(String::strip).filter(l -> !l.isEmpty()).findFirst().orElse("");
    String word = first.replaceFirst("\\s.*", "");
    boolean tellable = !input.confidential() && word.length() <= 40;
    return "starts with "
        + (tellable ? "\"" + word + "\"" : "something")
        + " that cloud-init does not know; it takes: "
        + KNOWN_HEADERS;
  }

  private static String afterFirstLine(String content) {
    String text = content.stripLeading();
    int end = text.indexOf('\n');
    return end < 0 ? "" : text.substring(end + 1).stripLeading();
  }

  private static String typeByContent(String content) {
    String start = content.stripLeading().toLowerCase(Locale.ROOT);
    return HEADERS.stream()
        .filter(header -> start.startsWith(header.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(null);
  }
}
