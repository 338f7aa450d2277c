package dev.qemuoperator.image;

import dev.qemuoperator.api.ImageConditions.Ready;
import dev.qemuoperator.api.VirtualMachineImageSpec;
import dev.qemuoperator.api.VirtualMachineImageSpec.Http;
import dev.qemuoperator.api.VirtualMachineImageSpec.Source;
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
  static Resolution lookUp(VirtualMachineImageSpec spec, Web web) {
    List<String> problems = new ArrayList<>();
    boolean answers = false;
    for (Source source : spec.sources()) {
      if (source.http() == null) {
        // only a node's container runtime can tell whether it can be pulled
        return found(source.containerImage().image(), Optional.ofNullable(spec.checksum()));
      }
      try {
        web.look(source.http().url());
        answers = true;
        return found(source.http().url(), Optional.of(checksum(spec, source.http(), web)));
      } catch (IOException e) {
        problems.add(e.getMessage());
      }
    }
    String why = String.join("; ", problems);
    return answers
        ? unusable(Ready.CHECKSUM_UNAVAILABLE, "No source with a checksum: " + why)
        : unusable(Ready.SOURCE_UNAVAILABLE, "No source answers: " + why);
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
