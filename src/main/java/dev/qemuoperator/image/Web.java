package dev.qemuoperator.image;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Looks at what is behind a URL. Redirects are followed, but never from https to http. */
final class Web {

  /** For a whole answer, however slowly it drips. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Files of sums have some kilobytes; whoever serves more serves something else. */
  private static final long LONGEST_TEXT = 1 << 20;

  private static final int OK = 200;
  private static final int PARTIAL_CONTENT = 206;
  private static final int FIRST_REDIRECT = 300;
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
    HttpResponse<byte[]> answer =
        send(
            request(url).GET().build(),
            BodyHandlers.limiting(BodyHandlers.ofByteArray(), LONGEST_TEXT));
    expect(url, answer.statusCode());
    return new String(answer.body(), StandardCharsets.UTF_8);
  }

  private static void expect(String url, int status) throws IOException {
    if (status >= FIRST_REDIRECT && status < FIRST_ERROR) {
      throw new IOException(url + " redirects from https to http, which is not followed");
    }
    if (status != OK && status != PARTIAL_CONTENT) {
      throw new IOException("%s: HTTP status %d".formatted(url, status));
    }
  }

  private static HttpRequest.Builder request(String url) throws IOException {
    try {
      return HttpRequest.newBuilder(URI.create(url));
    } catch (IllegalArgumentException e) {
      throw new IOException("%s is no URL: %s".formatted(url, e.getMessage()), e);
    }
  }

  private <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) throws IOException {
    CompletableFuture<HttpResponse<T>> answer = client.sendAsync(request, handler);
    try {
      return answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw problem(request, "no whole answer within %d s".formatted(PATIENCE.toSeconds()), e);
    } catch (ExecutionException e) {
      throw problem(request, words(e.getCause()), e);
    } catch (InterruptedException e) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw problem(request, "interrupted", e);
    }
  }

  /** The client has no message for what happens most. */
  private static String words(Throwable cause) {
    if (cause.getMessage() != null) {
      return cause.getMessage();
    }
    for (Throwable deeper = cause; deeper != null; deeper = deeper.getCause()) {
      if (deeper instanceof UnresolvedAddressException) {
        return "the name of its host cannot be resolved";
      }
    }
    return cause instanceof ConnectException ? "no connection" : cause.getClass().getSimpleName();
  }

  private static IOException problem(HttpRequest request, String why, Exception cause) {
    return new IOException("%s: %s".formatted(request.uri(), why), cause);
  }
}
