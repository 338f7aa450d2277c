package dev.qemuoperator.cloudinit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.cloudinit.Nic.FixedAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NoCloudTest {
  private static final Guest GUEST = guest("web", List.of("ssh-ed25519 AAAA me"));

  @Test
  void aSingleSourcePassesByteForByte() {
    for (String text :
        List.of(
            "#cloud-config\r\npackages: [vim]",
            "#!/bin/sh\necho ünï\n\n",
            "\n  #Cloud-Config\n{}",
            "MIME-Version: 1.0\n"
                + "Content-Type: multipart/mixed; boundary=x\n\n"
                + "--x\n\n"
                + "#!/bin/sh\n"
                + "--x--",
            "#cloud-config\na: &a {x: 1}\nb: {<<: *a, x: 2, on: yes, when: 2026-01-01}\n",
            "#cloud-config\n")) {
      assertThat(userData(layer("user-data", text))).isEqualTo(text);
    }
  }

  @Test
  void bothSpellingsOfAKeyAreTheSame() {
    assertThat(userData(layer("userData", "#cloud-config\na: 1\n")))
        .isEqualTo(userData(layer("user-data", "#cloud-config\na: 1\n")));
  }

  /** cloud-init takes whatever has this word in its first 4096 bytes for a MIME message. */
  @Test
  void aCloudConfigThatWritesAnEmailTemplateIsWrappedSoThatItIsNotTakenForAnEmail() {
    String text = "#cloud-config\nwrite_files: [{path: /m, content: 'MIME-Version: 1.0'}]\n";
    assertThat(userData(layer("user-data", text)))
        .startsWith("Content-Type: multipart/mixed")
        .contains("Content-Type: text/cloud-config\n")
        .contains(text);
  }

  @Test
  void laterCloudConfigComesFirstAndScriptsKeepTheirOrder() {
    String merged =
        userData(
            layer("user-data", "#!/bin/sh\necho 1\n"),
            layer("user-data", "#cloud-config\na: 2\n"),
            layer("user-data", "#cloud-boothook\necho 3\n"),
            layer("user-data", "## template: jinja\n#cloud-config\na: 4\n"),
            layer("user-data", "## template: jinja\n#!/bin/sh\necho 5\n"));
    assertThat(merged.lines().filter(line -> line.matches("(a:|echo) .*")))
        .containsExactly("a: 4", "a: 2", "echo 1", "echo 3", "echo 5");
    assertThat(merged.lines().filter(UserData.MERGE_TYPE::equals)).hasSize(2);
  }

  @Test
  void aPartThatSaysHowItIsMergedKeepsItsSay() {
    String mime =
        """
        Content-Type: multipart/mixed;
         boundary=x
        MIME-Version: 1.0

        preamble
        --x
        Content-Type: text/cloud-config
        X-Merge-Type: list(append)

        #cloud-config
        a: 1
        --x
        Content-Type: multipart/mixed; boundary="y"

        --y
        Content-Type: text/plain

        #cloud-config
        b: 1
        --y--
        --x--
        """;
    String merged =
        userData(layer("user-data", mime), layer("user-data", "#cloud-config-archive\n- 'c: 1'\n"));
    assertThat(merged)
        .contains("X-Merge-Type: list(append)\n\n#cloud-config\na: 1\n")
        .contains("Content-Type: text/plain\n" + UserData.MERGE_TYPE + "\n\n#cloud-config\nb: 1\n")
        .contains("Content-Type: text/cloud-config\n" + UserData.MERGE_TYPE + "\n\nc: 1\n");
    assertThat(merged.lines().filter(UserData.MERGE_TYPE::equals)).hasSize(2);
  }

  @Test
  void anEmptyCloudConfigIsLeftOutOfAMergeBecauseCloudInitWarnsOfIt() {
    assertThat(userData(layer("user-data", "#cloud-config\n"), layer("user-data", "#!/bin/sh\n")))
        .doesNotContain("#cloud-config");
    assertThat(
            userData(layer("user-data", "#cloud-config\n"), layer("user-data", "#cloud-config\n")))
        .isEqualTo(UserData.NONE);
  }

  static Stream<Arguments> mistakes() {
    return Stream.of(
        mistake(
            "user-data",
            "#cloud-config\na: 1\nb: c: d\n",
            ", line 3: mapping values are not allowed here"),
        mistake(
            "user-data",
            "#cloud-config\na: 1\na: 2\n",
            ", line 3: a key occurs twice in the same map"),
        mistake("user-data", "#cloud-config\n- a\n", ", line 1: #cloud-config must be a YAML map"),
        mistake(
            "user-data",
            "#cloud-config\na: @b\n",
            ", line 2: a character that cannot start a value here, such as a tab, @, % or `"),
        mistake("user-data", "#cloud-config\na: *b\n", ", line 2: an alias without an anchor"),
        mistake(
            "user-data",
            "#cloud-config\na: !b c\n",
            ", line 2: a tag that cloud-init does not know"),
        mistake("user-data", "#cloud-config\na: [1\nb: 2\n", ", line 3: not valid YAML"),
        mistake(
            "user-data",
            "#cloud-config\n\na: \u0007\n",
            ", line 3: a control character, which YAML does not allow"),
        mistake(
            "user-data",
            "users: [a]\n",
            ", line 1: starts with \"users:\" that cloud-init does not know; it takes: "
                + UserData.KNOWN_HEADERS),
        mistake(
            "vendor-data",
            "#cloud-confg\n{}\n",
            ", line 1: starts with \"#cloud-confg\" that cloud-init does not know; it takes: "
                + UserData.KNOWN_HEADERS),
        mistake("vendor-data", "#cloud-config\n[]\n", ", line 1: #cloud-config must be a YAML map"),
        mistake(
            "user-data",
            "## template: jinja\npackages: [a]\n",
            ", line 2: after ## template: jinja, #cloud-config or a script (#!) must follow"),
        mistake(
            "user-data",
            "#cloud-config-archive\na: 1\n",
            ", line 1: #cloud-config-archive must be a YAML list"),
        mistake(
            "user-data",
            "#cloud-config-archive\n- 'a: b: c'\n- 3\n",
            ": archive entry 1: mapping values are not allowed here",
            ": archive entry 2: must be a text or a map with content"),
        mistake(
            "user-data",
            "Content-Type: multipart/mixed; boundary=x\n\n--x--\n",
            ", line 1: a MIME message needs the header MIME-Version: 1.0, see"
                + " https://cloudinit.readthedocs.io/en/latest/explanation/format/mime.html"),
        mistake(
            "user-data",
            "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--x--\n",
            ", line 1: a multipart Content-Type without a boundary"),
        mistake(
            "user-data",
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=y\n\n--x--\n",
            ", line 1: the boundary of the multipart message never occurs"),
        mistake(
            "user-data",
            """
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=x

            --x
            Content-Type: text/cloud-config

            #cloud-config
            a: b: c
            --x
            Content-Type: text/plain

            hello
            --x
            Content-Type: text/cloud-config
            #cloud-config
            --x--
            """,
            ", line 15: the headers of a MIME part must end with an empty line",
            ", line 8: MIME part 1: mapping values are not allowed here",
            ", line 12: MIME part 2: starts with \"hello\" that cloud-init does not know; it takes:"
                + " "
                + UserData.KNOWN_HEADERS),
        mistake("meta-data", "- a\n", ": must be a YAML map"),
        mistake(
            "meta-data",
            "instance-id: x\n",
            ": instance-id is the operator's: it makes cloud-init run again when its data changes,"
                + " and only then; remove it"),
        mistake(
            "metaData",
            "public-keys: [x]\n",
            ": public-keys would replace spec.ssh.authorizedKeys; keep the keys in one of the two"),
        mistake("network-config", "a\n", ": must be a YAML map"),
        mistake(
            "network-config",
            "version: 2\n\tx: 1\n",
            ", line 2: a character that cannot start a value here, such as a tab, @, % or `"),
        mistake(
            "networkConfig",
            "ethernets: {}\n",
            ": needs a key version (1 or 2), or network with the configuration below it; to leave"
                + " the network to the image: network: {config: disabled}"));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void whatCloudInitWouldIgnoreInSilenceIsAFinding(String key, String text, List<String> told) {
    assertThat(findings(layer(key, text)))
        .containsExactlyElementsOf(
            told.stream().map(end -> "ConfigMap/base, key " + key + end).toList());
  }

  @Test
  void everyFindingOfEveryLayerIsToldAtOnce() {
    assertThat(
            findings(
                new Layer("ConfigMap/empty", false, Map.of("userdata", "#cloud-config\n")),
                new Layer("ConfigMap/twice", false, Map.of("user-data", "{}", "userData", "{}")),
                layer("meta-data", "- overridden by the next"),
                layer("meta-data", "instance-id: a")))
        .satisfiesExactly(
            text ->
                assertThat(text)
                    .isEqualTo(
                        "ConfigMap/empty: has none of the keys that a cloud-init source may have:"
                            + " user-data (or userData), vendor-data (or vendorData),"
                            + " network-config (or networkConfig), meta-data (or metaData)"),
            text ->
                assertThat(text)
                    .isEqualTo(
                        "ConfigMap/twice, key user-data: stands here also as userData; keep one of"
                            + " the two"),
            text -> assertThat(text).startsWith("ConfigMap/twice, key user-data, line 1: starts"),
            text -> assertThat(text).startsWith("ConfigMap/base, key meta-data: must be"),
            text -> assertThat(text).startsWith("ConfigMap/base, key meta-data: instance-id"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hunter2",
        "hunter2: x",
        "#cloud-config\nhunter2: 1\nhunter2: 2\n",
        "#cloud-config\na: *hunter2\n",
        "#cloud-config\na: !hunter2 b\n",
        "#cloud-config\nhunter2: hunter2: x\n",
        "#cloud-config\na: \"\\hunter2\"\n",
        "#cloud-config\na: [hunter2\nhunter2: b",
        "#cloud-config\na: &hunter2* b\n",
        "%hunter2\n---\na: b\n",
        "#cloud-config-archive\n- {type: hunter2, content: 1}\n",
        "MIME-Version: 1.0\nContent-Type: multipart/hunter2\n\n",
        "## template: jinja\nhunter2"
      })
  void nothingOfASecretIsInAMessage(String text) {
    for (String key : List.of("user-data", "vendor-data", "network-config", "meta-data")) {
      assertThat(findings(new Layer("Secret/s", true, Map.of(key, text))))
          .allSatisfy(told -> assertThat(told).doesNotContain("hunter2").startsWith("Secret/s"));
    }
    assertThat(findings(new Layer("Secret/s", true, Map.of("user-data", text)))).isNotEmpty();
  }

  @Test
  void aSeedThatNoSecretCanHoldNamesItsLargestOrigin() {
    String large = "#!/bin/sh\n#" + "x".repeat(NoCloud.MAX_BYTES) + "\n";
    assertThat(
            findings(
                new Layer("ConfigMap/small", false, Map.of("user-data", "#cloud-config\na: 1\n")),
                new Layer("Secret/large", true, Map.of("user-data", large))))
        .singleElement()
        .asString()
        .matches(
            "Secret/large: is the largest part of a cloud-init seed of 90[0-9] KiB, of which a"
                + " Secret can hold 900 KiB; let the guest fetch large content .*");
  }

  @Test
  void newContentIsANewInstanceAndTheSameContentIsNot() {
    Layer layer = layer("user-data", "#cloud-config\na: 1\n");
    Seed seed = seed(GUEST, layer);
    assertThat(seed.instanceId()).matches("uid-[0-9a-f]{12}");
    assertThat(seed.files().get("meta-data")).startsWith("instance-id: " + seed.instanceId());
    assertThat(seed(GUEST, layer)).isEqualTo(seed);

    List<Seed> others =
        List.of(
            seed(GUEST, layer("user-data", "#cloud-config\na: 2\n")),
            seed(GUEST, layer, layer("vendor-data", "#cloud-config\na: 2\n")),
            seed(GUEST, layer, layer("meta-data", "a: 2\n")),
            seed(GUEST, layer, layer("network-config", "version: 2\n")),
            seed(guest("other", GUEST.authorizedKeys()), layer),
            seed(guest("web", List.of()), layer));
    assertThat(others)
        .allSatisfy(other -> assertThat(other.instanceId()).isNotEqualTo(seed.instanceId()))
        .allSatisfy(other -> assertThat(other.hash()).isNotEqualTo(seed.hash()));
  }

  @Test
  void newReleaseOfTheReportIsAnotherSeedForTheSameInstance() {
    Seed seed = seed(GUEST);
    var withoutReport = new TreeMap<>(seed.files());
    withoutReport.put("vendor-data", UserData.merge(List.of(VendorData.defaults())));
    assertThat(Seed.hash(withoutReport)).isNotEqualTo(seed.hash());

    withoutReport.compute("meta-data", (_, text) -> text.replaceFirst("instance-id: .*\n", ""));
    assertThat(seed.instanceId()).isEqualTo("uid-" + Seed.hash(withoutReport).substring(0, 12));
  }

  @Test
  void whatChangedSinceTheBootIsNamed() {
    Seed booted =
        seed(GUEST, layer("user-data", "#cloud-config\na: 1\n"), secret("#cloud-config\nb: 1\n"));
    Seed desired =
        seed(
            guest("web", List.of()),
            layer("user-data", "#cloud-config\na: 2\n"),
            new Layer("Secret/y", true, Map.of("network-config", "version: 2\n")));
    assertThat(Seed.changes(booted.origins(), desired.origins()))
        .containsExactly(
            "ConfigMap/base changed",
            "Secret/x removed",
            "Secret/y added",
            "spec.networks removed",
            "spec.ssh removed");
    assertThat(Seed.changes(booted.origins(), booted.origins())).isEmpty();
  }

  @Test
  void whatIsOverriddenContributesNothing() {
    Layer last = secret("#cloud-config\nb: 1\n");
    Seed seed =
        seed(
            GUEST, new Layer("ConfigMap/a", false, Map.of("metaData", "a: 1")), over("b: 2"), last);
    assertThat(seed.origins().keySet())
        .containsExactly(
            "ConfigMap/b", "Secret/x", "hostname", "qemu-operator", "spec.networks", "spec.ssh");
    assertThat(seed.files().get("meta-data")).contains("b: 2").doesNotContain("a: 1");
  }

  @Test
  void theCardsAreFoundByMacAddressAndNamedInOrder() {
    var guest =
        new Guest(
            "uid",
            "web",
            List.of(
                new Nic("lan", "52:54:00:AB:CD:EF", Optional.empty()),
                new Nic("pod", "52:54:00:00:00:02", Optional.empty())),
            List.of());
    assertThat(StrictYaml.parse(seed(guest).files().get("network-config")))
        .isEqualTo(
            new StrictYaml.Parsed.Value(
                Map.of(
                    "version",
                    2,
                    "ethernets",
                    Map.of(
                        "nic0",
                        ethernet("eth0", "52:54:00:ab:cd:ef", Map.of("use-domains", "true")),
                        "nic1",
                        ethernet(
                            "eth1",
                            "52:54:00:00:00:02",
                            Map.of("use-routes", false, "use-dns", false))))));
  }

  @Test
  void theFirstCardHasTheWayOutAndTheNames() {
    var lan =
        new FixedAddress(
            "192.168.86.53/24",
            Optional.of("192.168.86.1"),
            List.of("192.168.86.1"),
            List.of("lan.example"));
    var ipv6 = new FixedAddress("fd00::53/64", Optional.of("fd00::1"), List.of(), List.of());
    assertThat(NetworkConfig.of(List.of(nic(lan), nic(ipv6))))
        .isEqualTo(
            """
            version: 2
            ethernets:
              nic0:
                match:
                  macaddress: "52:54:00:00:00:02"
                set-name: eth0
                addresses: ["192.168.86.53/24"]
                routes: [{to: "0.0.0.0/0", via: "192.168.86.1"}]
                nameservers:
                  addresses: ["192.168.86.1"]
                  search: ["lan.example"]
              nic1:
                match:
                  macaddress: "52:54:00:00:00:02"
                set-name: eth1
                addresses: ["fd00::53/64"]
            """);
    assertThat(NetworkConfig.of(List.of(nic(ipv6))))
        .contains("routes: [{to: \"::/0\", via: \"fd00::1\"}]")
        .doesNotContain("nameservers");
  }

  private static Nic nic(FixedAddress fixed) {
    return new Nic("lan", "52:54:00:00:00:02", Optional.of(fixed));
  }

  @Test
  void aGuestWithoutCardsDoesNotWaitForOne() {
    assertThat(seed(new Guest("uid", "web", List.of(), List.of())).files().get("network-config"))
        .isEqualTo("version: 2\nethernets: {}\n");
  }

  /** Python's e-mail parser breaks an 8bit umlaut; see Part. */
  @Test
  void textThatIsNotPlainTravelsAsBase64() {
    assertThat(
            userData(layer("user-data", "#!/bin/sh\necho ü\n"), secret("#cloud-config\na: 1\r\n")))
        .isASCII()
        .contains("\n\nIyEvYmluL3NoCmVjaG8gw7wK\n--")
        .contains("\n\nI2Nsb3VkLWNvbmZpZwphOiAxDQo=\n--");
  }

  private static Map<String, Object> ethernet(
      String name, String mac, Map<String, Object> overrides) {
    return Map.of(
        "match",
        Map.of("macaddress", mac),
        "set-name",
        name,
        "dhcp4",
        true,
        "dhcp4-overrides",
        overrides);
  }

  private static Guest guest(String hostname, List<String> keys) {
    return new Guest(
        "uid", hostname, List.of(new Nic("default", "52:54:00:12:34:56", Optional.empty())), keys);
  }

  private static Layer layer(String key, String text) {
    return new Layer("ConfigMap/base", false, Map.of(key, text));
  }

  private static Layer over(String metaData) {
    return new Layer("ConfigMap/b", false, Map.of("metaData", metaData));
  }

  private static Layer secret(String userData) {
    return new Layer("Secret/x", true, Map.of("user-data", userData));
  }

  private static Arguments mistake(String key, String text, String... told) {
    return Arguments.of(key, text, List.of(told));
  }

  private static Seed seed(Guest guest, Layer... layers) {
    SeedResult result = NoCloud.build(guest, Arrays.asList(layers));
    assertThat(result.findings()).isEmpty();
    return result.seed().orElseThrow();
  }

  private static String userData(Layer... layers) {
    return seed(GUEST, layers).files().get("user-data");
  }

  private static List<String> findings(Layer... layers) {
    SeedResult result = NoCloud.build(GUEST, Arrays.asList(layers));
    assertThat(result.seed().isPresent()).isEqualTo(result.findings().isEmpty());
    return result.findings().stream().map(Finding::text).toList();
  }
}
