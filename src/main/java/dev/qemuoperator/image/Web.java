package dev.qemuoperator.image;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Looks at what is behind a URL. Redirects are followed, but never from https to http. */
final class Web {

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Files of sums have some kilobytes; whoever serves more serves something else. */
  private static final int LONGEST_TEXT = 1 << 20;

  private static final int OK = 200;
  private static final int PARTIAL_CONTENT = 206;
  private static final int FIRST_ERROR = 400;

  private final HttpClient client =
      HttpClient.newBuilder()
          .connectTimeout(PATIENCE)
          .followRedirects(HttpClient.Redirect.NORMAL)
          .build();

  /** Returns if there is something; what it is is not read. */
  void look(String url) throws IOException {
    HttpRequest.Builder request = request(url);
    int status = send(request.HEAD().build(), BodyHandlers.discarding()).statusCode();
    if (status >= FIRST_ERROR) {
      // not every server knows HEAD
      HttpRequest first = request.header("Range", "bytes=0-0").GET().build();
      HttpResponse<InputStream> answer = send(first, BodyHandlers.ofInputStream());
      answer.body().close();
      status = answer.statusCode();
    }
    expect(url, status);
  }

  /** A small text. */
  String text(String url) throws IOException {
    HttpResponse<InputStream> answer =
        send(request(url).GET().build(), BodyHandlers.ofInputStream());
    try (InputStream body = answer.body()) {
      expect(url, answer.statusCode());
      byte[] bytes = body.readNBytes(LONGEST_TEXT + 1);
      if (bytes.length > LONGEST_TEXT) {
        throw new IOException(url + " has more than 1 MiB, which no file of sums has");
      }
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  private static void expect(String url, int status) throws IOException {
    if (status != OK && status != PARTIAL_CONTENT) {
      throw new IOException("%s: HTTP status %d".formatted(url, status));
    }
  }

  private static HttpRequest.Builder request(String url) throws IOException {
    try {
      return HttpRequest.newBuilder(URI.create(url)).timeout(PATIENCE);
    } catch (IllegalArgumentException e) {
      throw new IOException("%s is no URL: %s".formatted(url, e.getMessage()), e);
    }
  }

  private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
      throws IOException {
    try {
      return client.send(request, handler);
    } catch (IOException e) {
      String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new IOException("%s: %s".formatted(request.uri(), why), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
