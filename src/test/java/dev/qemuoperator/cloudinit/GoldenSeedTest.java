package dev.qemuoperator.cloudinit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Each folder of src/test/resources/cloudinit is a story: {@code in/<layer>/<key>} gives {@code
 * out/<file>}.
 *
 * <p>The golden files were given to cloud-init 22.4.2 and 25.1.4 (its UserDataProcessor, part
 * handlers, NoCloud seed reader and every network renderer), with the same result from both. Of
 * {@code several-sources-become-one-message} cloud-init makes, without a warning:
 *
 * <pre>
 * bootcmd: [a, b]                                    # a later list over an earlier string
 * ntp: {deep: {a: 1, b: 2, c: 2}, enabled: false, servers: [s1, s-mime, s2]}
 * package_update: false
 * packages: [vim, git, jinja-pkg, mime-pkg, curl, arch1, arch2]
 * preserve: text                                     # a later string over an earlier true
 * runcmd: [echo one, echo two]
 * timezone: Arch/One                                 # the last source that has one
 * </pre>
 *
 * and runs the scripts as part-007, my.sh, part-009.
 */
class GoldenSeedTest {
  private static final Path STORIES = Path.of("src/test/resources/cloudinit");
  private static final Guest GUEST =
      new Guest(
          "6f1d3a52-0000-4000-8000-000000000001",
          "web",
          List.of(new Nic("default", "52:54:00:12:34:56", Optional.empty())),
          List.of("ssh-ed25519 AAAAC3Nz me@example"));

  @TestFactory
  Stream<DynamicTest> stories() throws IOException {
    return children(STORIES).stream()
        .map(story -> DynamicTest.dynamicTest(story.getFileName().toString(), () -> tell(story)));
  }

  private static void tell(Path story) throws IOException {
    SeedResult result = NoCloud.build(GUEST, layers(story));
    assertThat(result.findings()).isEmpty();
    Map<String, String> files = result.seed().orElseThrow().files();
    if (Golden.isUpdating()) {
      for (Map.Entry<String, String> file : files.entrySet()) {
        Files.writeString(story.resolve("out").resolve(file.getKey()), file.getValue());
      }
    }
    assertThat(files)
        .as(
            "The seed of %s. If this change is meant, and is not of report.sh alone, every VM with such"
                + " a seed gets a new instance-id and runs cloud-init again at its next boot: check"
                + " the new text with cloud-init, then run ./test unit --update; %s/out becomes:%n%s",
            story.getFileName(), story, listing(files))
        .isEqualTo(texts(story.resolve("out")));
  }

  /**
   * The literal is what this prints: {@code cd …/out && sha256sum -- * | sha256sum | cut -c-20}.
   */
  @Test
  void theHashIsTheOneThatTheShellInThePodComputes() throws IOException {
    Path story = STORIES.resolve("no-layers-give-a-login-by-key-and-dhcp");
    assertThat(NoCloud.build(GUEST, layers(story)).seed().orElseThrow().hash())
        .isEqualTo("47cbf14ec353d1dc5238");
  }

  private static List<Layer> layers(Path story) throws IOException {
    var layers = new ArrayList<Layer>();
    Path in = story.resolve("in");
    for (Path layer : Files.exists(in) ? children(in) : List.<Path>of()) {
      layers.add(new Layer("ConfigMap/" + layer.getFileName(), false, texts(layer)));
    }
    return layers;
  }

  private static Map<String, String> texts(Path folder) throws IOException {
    var texts = new HashMap<String, String>();
    for (Path file : Files.exists(folder) ? children(folder) : List.<Path>of()) {
      texts.put(file.getFileName().toString(), Files.readString(file));
    }
    return texts;
  }

  private static List<Path> children(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.sorted().toList();
    }
  }

  private static String listing(Map<String, String> files) {
    var listing = new StringBuilder();
    new TreeMap<>(files)
        .forEach((name, text) -> listing.append("== ").append(name).append('\n').append(text));
    return listing.toString();
  }
}
