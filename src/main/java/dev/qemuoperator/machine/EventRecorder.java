package dev.qemuoperator.machine;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.qemuoperator.api.VirtualMachine;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.ThreadLocalRandom;
import org.jboss.logging.Logger;

/** Writes Kubernetes Events about a VirtualMachine, or about what is left of one. */
final class EventRecorder {

  private static final Logger LOG = Logger.getLogger(EventRecorder.class);

  /** Kubernetes' MicroTime wants exactly six digits. */
  private static final DateTimeFormatter MICROSECONDS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  /** The API server's limit, in bytes of UTF-8. */
  private static final int LONGEST_NOTE = 1024;

  private static final String CUT = "...";

  private final KubernetesClient client;
  private final Clock clock;
  private final String instance;

  EventRecorder(KubernetesClient client, Clock clock, String instance) {
    this.client = client;
    this.clock = clock;
    this.instance = instance;
  }

  /** An event that cannot be written is lost: the status has the same news and will be written. */
  void tell(HasMetadata regarding, MachineEvent event) {
    try {
      client.resource(build(regarding, event)).create();
    } catch (KubernetesClientException e) {
      LOG.warnf(
          "event not written about=%s/%s reason=%s problem=%s",
          regarding.getMetadata().getNamespace(),
          regarding.getMetadata().getName(),
          event.reason(),
          e.getMessage());
    }
  }

  private Event build(HasMetadata regarding, MachineEvent event) {
    // @formatter:off
    return new EventBuilder()
        .withNewMetadata()
          // as client-go names them; generateName would not allow the dot
          .withName(
              regarding.getMetadata().getName()
                  + "."
                  + Long.toHexString(ThreadLocalRandom.current().nextLong()))
          .withNamespace(regarding.getMetadata().getNamespace())
        .endMetadata()
        .withEventTime(new MicroTime(MICROSECONDS.format(clock.instant())))
        .withType(event.warning() ? "Warning" : "Normal")
        .withReason(event.reason())
        .withAction("Reconcile")
        .withNote(shortened(event.note()))
        .withReportingController(VirtualMachine.GROUP + "/qemu-operator")
        .withReportingInstance(instance)
        .withNewRegarding()
          .withApiVersion(regarding.getApiVersion())
          .withKind(regarding.getKind())
          .withName(regarding.getMetadata().getName())
          .withNamespace(regarding.getMetadata().getNamespace())
          .withUid(regarding.getMetadata().getUid())
        .endRegarding()
        .build();
    // @formatter:on
  }

  static String shortened(String note) {
    if (note.getBytes(UTF_8).length <= LONGEST_NOTE) {
      return note;
    }
    String kept = note;
    while (kept.getBytes(UTF_8).length > LONGEST_NOTE - CUT.length()) {
      kept = kept.substring(0, kept.offsetByCodePoints(kept.length(), -1));
    }
    return kept + CUT;
  }
}
