package dev.qemuoperator.cloudinit;

import java.util.Map;
import java.util.Set;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.DuplicateKeyException;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.reader.ReaderException;

/**
 * YAML as cloud-init's PyYAML reads it, but with duplicate keys refused: PyYAML keeps the last one
 * and says nothing.
 */
final class StrictYaml {
  private StrictYaml() {}

  sealed interface Parsed {
    /** {@code value} may be null: an empty document. */
    record Value(Object value) implements Parsed {}

    /** {@code message} holds nothing of the text. {@code line} is 1-based, null if not known. */
    record Problem(Integer line, String message) implements Parsed {}
  }

  // The parser's problem texts that quote nothing. The others name an alias, a tag or a key of what
  // may be a Secret; for those the line has to do.
  private static final Set<String> QUOTES_NOTHING =
      Set.of(
          "mapping values are not allowed here",
          "mapping keys are not allowed here",
          "sequence entries are not allowed here",
          "could not find expected ':'",
          "found unexpected end of stream",
          "found unexpected document separator",
          "but found another document");

  static Parsed parse(String text) {
    var options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    try {
      return new Parsed.Value(new Yaml(new SafeConstructor(options)).load(text));
    } catch (DuplicateKeyException e) {
      return new Parsed.Problem(line(e), "a key occurs twice in the same map");
    } catch (MarkedYAMLException e) {
      return new Parsed.Problem(line(e), describe(e.getProblem()));
    } catch (ReaderException e) {
      String before = text.substring(0, Math.min(e.getPosition(), text.length()));
      return new Parsed.Problem(
          (int) before.lines().count(), "a control character, which YAML does not allow");
    } catch (YAMLException e) {
      return new Parsed.Problem(null, "not valid YAML");
    }
  }

  /** Block style, strings unfolded. */
  static String write(Map<?, ?> map) {
    var options = new DumperOptions();
    options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
    options.setSplitLines(false);
    return new Yaml(options).dump(map);
  }

  private static Integer line(MarkedYAMLException e) {
    return e.getProblemMark() == null ? null : e.getProblemMark().getLine() + 1;
  }

  private static String describe(String problem) {
    if (problem == null) {
      return "not valid YAML";
    }
    // "expected <block end>, but found '<block mapping start>'" names tokens of the grammar
    if (QUOTES_NOTHING.contains(problem)
        || problem.matches("expected <[a-z ]+>, but found '?<[a-z ]+>'?")) {
      return problem;
    }
    if (problem.startsWith("found character")) {
      return "a character that cannot start a value here, such as a tab, @, % or `";
    }
    if (problem.startsWith("found undefined alias")) {
      return "an alias without an anchor";
    }
    if (problem.startsWith("could not determine a constructor for the tag")) {
      return "a tag that cloud-init does not know";
    }
    return "not valid YAML";
  }
}
