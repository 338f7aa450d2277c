package dev.qemuoperator.logs;

import dev.qemuoperator.pod.ImageFetch;
import dev.qemuoperator.pod.PodFacts;
import dev.qemuoperator.pod.VmPod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.ContainerResource;
import io.fabric8.kubernetes.client.dsl.Loggable;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/** What containers of a pod wrote to their logs, where it is told nowhere else. */
public final class PodLogs {

  private static final Logger LOG = Logger.getLogger(PodLogs.class);
  private static final int CONSOLE_LINES = 60;
  private static final int LONGEST_CONSOLE = 4096;

  /** As the runner's scripts write it; its README says so. */
  private static final Pattern PROGRESS = Pattern.compile("[0-9]+ (%|bytes)(, [0-9]+ KiB/s)?");

  private final KubernetesClient client;

  public PodLogs(KubernetesClient client) {
    this.client = client;
  }

  /** How much of a base image has come, by disk; of those that are coming. */
  public Map<String, String> fetched(PodFacts pod) {
    Map<String, String> fetched = new HashMap<>();
    for (String disk : pod.fetching()) {
      read(pod, ImageFetch.INIT_PREFIX + disk, container -> container.tailingLines(1))
          .map(String::strip)
          .filter(line -> PROGRESS.matcher(line).matches())
          .ifPresent(line -> fetched.put(disk, line));
    }
    return fetched;
  }

  /** The end of the console of the guest's last run. */
  public Optional<String> lastConsole(PodFacts pod) {
    boolean another = pod.isRunning() || pod.waiting().isPresent();
    return read(
            pod,
            VmPod.CONTAINER,
            container ->
                another
                    ? container.terminated().tailingLines(CONSOLE_LINES)
                    : container.tailingLines(CONSOLE_LINES))
        .map(PodLogs::printable)
        .filter(text -> !text.isBlank());
  }

  private Optional<String> read(
      PodFacts pod, String container, Function<ContainerResource, Loggable> part) {
    ContainerResource resource =
        client
            .pods()
            .inNamespace(pod.pod().getMetadata().getNamespace())
            .withName(pod.pod().getMetadata().getName())
            .inContainer(container)
            // it would wait for a pod that is ready
            .withReadyWaitTimeout(0);
    try {
      return Optional.ofNullable(part.apply(resource).getLog());
    } catch (KubernetesClientException e) {
      LOG.infof(
          "no log pod=%s container=%s problem=%s",
          pod.pod().getMetadata().getName(), container, e.getMessage());
      return Optional.empty();
    }
  }

  /** A guest writes to its console what it likes: the end of it, without control characters. */
  static String printable(String console) {
    String text =
        console.replaceAll("\u001b\\[[0-9;?]*[A-Za-z]", "").replaceAll("[\\p{Cntrl}&&[^\n]]", "");
    return text.length() <= LONGEST_CONSOLE
        ? text
        : text.substring(text.length() - LONGEST_CONSOLE);
  }
}
