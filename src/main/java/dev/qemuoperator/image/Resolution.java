package dev.qemuoperator.image;

import dev.qemuoperator.api.ImageConditions.Ready;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageSpec.Http;
import dev.qemuoperator.api.VirtualMachineImageSpec.Source;
import dev.qemuoperator.pod.FilePlace;
import dev.qemuoperator.pod.HostPathRoots;
import dev.qemuoperator.status.Verdict;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an image's sources have given.
 *
 * @param verdict whether disks can be made from it
 * @param source the one that serves it
 * @param digest what it must serve; empty for a container image without a checksum
 * @param problem why they have to be looked up once more
 */
record Resolution(
    Verdict verdict, Optional<String> source, Optional<String> digest, Optional<String> problem) {

  static final Resolution NOT_LOOKED_UP =
      new Resolution(
          Verdict.yes(Ready.ON_DEMAND, "Its sources are looked up when a VirtualMachine names it."),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  /** Looks from the first source to the last. */
  static Resolution lookUp(VirtualMachineImageSpec spec, HostPathRoots roots, Web web) {
    List<String> problems = new ArrayList<>();
    boolean answers = false;
    boolean asked = false;
    for (Source source : spec.sources()) {
      if (source.hostPath() != null) {
        // only a node can tell whether it has the file
        Optional<FilePlace> file = FilePlace.of(source, roots);
        if (file.isPresent()) {
          return found(file.get().title(), Optional.of(spec.checksum()));
        }
        roots.problem(source.hostPath().root()).ifPresent(problems::add);
        continue;
      }
      if (source.http() == null) {
        // only a node's container runtime can tell whether it can be pulled
        return found(source.containerImage().image(), Optional.ofNullable(spec.checksum()));
      }
      asked = true;
      try {
        web.look(source.http().url());
        answers = true;
        return found(source.http().url(), Optional.of(checksum(spec, source.http(), web)));
      } catch (IOException e) {
        problems.add(e.getMessage());
      }
    }
    String why = String.join("; ", problems);
    if (!asked) {
      return new Resolution(
          Verdict.no(Ready.ROOT_NOT_FOUND, "No source is there: " + why + "."),
          Optional.empty(),
          Optional.empty(),
          // they are watched: there is nothing to try again
          Optional.empty());
    }
    return answers
        ? unusable(Ready.CHECKSUM_UNAVAILABLE, "No source with a checksum: " + why)
        : unusable(Ready.SOURCE_UNAVAILABLE, "No source answers: " + why);
  }

  /** Whether a source is a file in this HostPathRoot. */
  static boolean names(VirtualMachineImageSpec spec, String root) {
    return spec.sources().stream()
        .anyMatch(source -> source.hostPath() != null && source.hostPath().root().equals(root));
  }

  /**
   * Whether a look would still find this source first, as far as HostPathRoots decide: what a
   * server answers now does not matter.
   */
  static boolean holds(VirtualMachineImageSpec spec, HostPathRoots roots, String source) {
    for (Source candidate : spec.sources()) {
      Optional<String> title =
          candidate.containerImage() != null
              ? Optional.of(candidate.containerImage().image())
              : FilePlace.of(candidate, roots).map(FilePlace::title);
      if (title.filter(source::equals).isPresent()) {
        return true;
      }
      if (candidate.hostPath() != null && title.isPresent()) {
        return false;
      }
    }
    return false;
  }

  private static String checksum(VirtualMachineImageSpec spec, Http http, Web web)
      throws IOException {
    if (spec.checksum() != null) {
      return spec.checksum();
    }
    String sums = http.checksumUrl() == null ? spec.checksumUrl() : http.checksumUrl();
    return new ChecksumFile(web.text(sums))
        .sumOf(URI.create(http.url()).getPath())
        .orElseThrow(
            () ->
                new IOException(
                    "%s has no SHA-256 or SHA-512 sum of %s, or more than one; correct checksumUrl or the source"
                        .formatted(sums, http.url())));
  }

  static Resolution found(String source, Optional<String> digest) {
    return new Resolution(
        Verdict.yes(
            Ready.RESOLVED,
            digest
                .map(sum -> "%s serves it; it must be %s.".formatted(source, sum))
                .orElseGet(
                    () ->
                        "%s has it. Its content is not pinned: give a checksum, or the image by its digest."
                            .formatted(source))),
        Optional.of(source),
        digest,
        Optional.empty());
  }

  /** Another look has failed, and what was found before still holds. */
  Resolution inSpiteOf(Resolution failed) {
    String why = failed.verdict().message();
    return new Resolution(
        Verdict.yes(
            verdict.reason(), verdict.message() + " The refresh asked for has failed: " + why),
        source,
        digest,
        failed.problem());
  }

  static Resolution unusable(String reason, String problem) {
    return new Resolution(
        Verdict.no(reason, problem + ". It is tried again."),
        Optional.empty(),
        Optional.empty(),
        Optional.of(problem));
  }
}
