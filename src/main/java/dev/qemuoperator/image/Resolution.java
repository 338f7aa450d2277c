package dev.qemuoperator.image;

import dev.qemuoperator.api.ImageConditions.Ready;
import dev.qemuoperator.api.VirtualMachineImageSpec;
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
 */
record Resolution(Verdict verdict, Optional<String> source, Optional<String> digest) {

  static final Resolution NOT_LOOKED_UP =
      new Resolution(
          Verdict.yes(Ready.ON_DEMAND, "Its sources are looked up when a VirtualMachine names it."),
          Optional.empty(),
          Optional.empty());

  /** Looks from the first source to the last. */
  static Resolution lookUp(VirtualMachineImageSpec spec, Web web) {
    List<String> problems = new ArrayList<>();
    for (Source source : spec.sources()) {
      try {
        return source.http() == null
            // only a node's container runtime can tell whether it can be pulled
            ? found(source.containerImage().image(), Optional.ofNullable(spec.checksum()))
            : found(source.http().url(), Optional.of(lookUp(spec, source.http().url(), web)));
      } catch (IOException e) {
        problems.add(e.getMessage());
      } catch (NoChecksumException e) {
        return unusable(Ready.CHECKSUM_UNAVAILABLE, e.getMessage());
      }
    }
    return unusable(
        Ready.SOURCE_UNAVAILABLE, "No source answers: " + String.join("; ", problems) + ".");
  }

  private static String lookUp(VirtualMachineImageSpec spec, String url, Web web)
      throws IOException, NoChecksumException {
    web.look(url);
    return spec.checksum() != null ? spec.checksum() : published(spec.checksumUrl(), url, web);
  }

  private static String published(String checksumUrl, String url, Web web)
      throws NoChecksumException {
    String path = URI.create(url).getPath();
    String name = path.substring(path.lastIndexOf('/') + 1);
    try {
      return new ChecksumFile(web.text(checksumUrl))
          .sumOf(name)
          .orElseThrow(
              () ->
                  new NoChecksumException(
                      "%s has no SHA-256 or SHA-512 sum of a file %s. Correct spec.checksumUrl or the source."
                          .formatted(checksumUrl, name)));
    } catch (IOException e) {
      throw new NoChecksumException("The sums cannot be read: " + e.getMessage() + ".");
    }
  }

  private static Resolution found(String source, Optional<String> digest) {
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
        digest);
  }

  private static Resolution unusable(String reason, String message) {
    return new Resolution(
        Verdict.no(reason, message + " It is tried again."), Optional.empty(), Optional.empty());
  }

  /** The sources are there, and what they must serve is not known. */
  private static final class NoChecksumException extends Exception {
    private static final long serialVersionUID = 1L;

    NoChecksumException(String message) {
      super(message);
    }
  }
}
