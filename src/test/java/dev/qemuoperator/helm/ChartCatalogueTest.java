package dev.qemuoperator.helm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.helm.Chart.Rendered;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The images that the chart brings. */
class ChartCatalogueTest {

  @Test
  void commonDistributionsAreThereByTheirProjectsOwnFiles() {
    assertThat(catalogue(Chart.render()))
        .containsOnlyKeys("ubuntu-24.04", "debian-12", "debian-13", "alpine-3.23")
        .allSatisfy(
            (name, spec) -> {
              assertThat(spec.sources()).hasSize(1);
              String url = spec.sources().getFirst().http().url();
              assertThat(url).startsWith("https://");
              assertThat(spec.checksumUrl())
                  .as("sums beside %s", url)
                  .startsWith(url.substring(0, url.lastIndexOf('/') + 1));
            });
  }

  @Test
  void mirrorIsAskedFirst() {
    VirtualMachineImageSpec debian =
        catalogue(Chart.render("images: {mirror: 'http://mirror.lan/images/'}")).get("debian-13");
    assertThat(debian.sources())
        .extracting(source -> source.http().url())
        .containsExactly(
            "http://mirror.lan/images/cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2",
            "https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2");
    assertThat(debian.checksumUrl())
        .as("of the project's own files")
        .isEqualTo("https://cloud.debian.org/images/cloud/trixie/latest/SHA512SUMS");
    assertThat(debian.sources().getFirst().http().checksumUrl())
        .as("of the mirror's")
        .isEqualTo(
            "http://mirror.lan/images/cloud.debian.org/images/cloud/trixie/latest/SHA512SUMS");
  }

  @Test
  void imagesAreAddedAndLeftOutByName() {
    assertThat(
            catalogue(
                Chart.render(
                    """
                    images:
                      mirror: http://mirror.lan
                      catalogue:
                        debian-12: null
                        own: {sources: [{containerImage: {image: registry.example/own}}]}
                    """)))
        .containsOnlyKeys("ubuntu-24.04", "debian-13", "alpine-3.23", "own")
        .hasEntrySatisfying(
            "own",
            own ->
                assertThat(own.sources())
                    .singleElement()
                    .extracting(source -> source.containerImage().image())
                    .isEqualTo("registry.example/own"));
  }

  @Test
  void operatorStartsAnewWithAnotherCatalogue() {
    assertThat(hash(Chart.render()))
        .isNotEmpty()
        .isNotEqualTo(hash(Chart.render("images: {catalogue: {debian-12: null}}")));
  }

  @Test
  void secondReleaseBringsNone() {
    Rendered chart = Chart.render("images: {manage: false}");
    assertThat(chart.kinds()).doesNotContain("ConfigMap");
    assertThat(
            chart.the(Deployment.class).getSpec().getTemplate().getSpec().getVolumes().stream()
                .map(volume -> volume.getName()))
        .doesNotContain("catalogue");
  }

  private static String hash(Rendered chart) {
    return chart
        .the(Deployment.class)
        .getSpec()
        .getTemplate()
        .getMetadata()
        .getAnnotations()
        .get("qemu-operator.dev/catalogue");
  }

  private static Map<String, VirtualMachineImageSpec> catalogue(Rendered chart) {
    String yaml = chart.the(ConfigMap.class).getData().get("images.yaml");
    return new KubernetesSerialization()
        .unmarshal(
            new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)),
            new TypeReference<Map<String, VirtualMachineImageSpec>>() {});
  }
}
