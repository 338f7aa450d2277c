package dev.qemuoperator.docs;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The condition types and reasons of {@code api/Conditions.java} with their comments, which only
 * the source has.
 */
record DocumentedConditions(List<Type> types) {

  /** A condition type. */
  record Type(String name, String meaning, List<Reason> reasons) {}

  /** A reason; its meaning is empty where the name says it all. */
  record Reason(String name, String meaning) {}

  private static final Pattern COMMENTED =
      Pattern.compile(
          "(?:/\\*\\*(?<comment>(?:(?!\\*/).)*)\\*/\\s*)?public static final "
              + "(?:class (?<type>\\w+)|String (?<constant>\\w+) =\\s*\"(?<value>\\w+)\")",
          Pattern.DOTALL);

  static DocumentedConditions parse(String source) {
    List<Type> types = new ArrayList<>();
    Matcher found = COMMENTED.matcher(source);
    while (found.find()) {
      String meaning = text(found.group("comment"));
      if (found.group("type") != null) {
        types.add(new Type(found.group("type"), meaning, new ArrayList<>()));
      } else if (!found.group("constant").equals("TYPE")) {
        types.getLast().reasons().add(new Reason(found.group("value"), meaning));
      }
    }
    return new DocumentedConditions(types);
  }

  private static String text(String comment) {
    return comment == null
        ? ""
        : comment
            .replaceAll("(?m)^\\s*\\*", "")
            .replaceAll("\\{@\\w+ ([^}]*)}", "$1")
            .replaceAll("\\s+", " ")
            .strip();
  }

  List<String> reasons() {
    return types.stream().flatMap(type -> type.reasons().stream()).map(Reason::name).toList();
  }
}
