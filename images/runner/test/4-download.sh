# shellcheck shell=sh disable=SC2154 # the variables of `run`
serve() { # http_server.py's further arguments: sets $url, $digest; the server ends with the test
  mkdir -p "$test/work" "$test/cache" "$test/www"
  : > "$test/termination"
  head -c 3000000 /dev/urandom > "$test/www/file"
  digest=$(sha256sum < "$test/www/file" | cut -d ' ' -f 1)
  python3 "$here/http_server.py" "$test/www" "$@" &
  server=$!
  trap 'kill $server' EXIT
  within 10 'the http server' test -s "$test/www/port"
  url=http://127.0.0.1:$(cat "$test/www/port")
}
download_options() {
  echo "--network host -v $test/work:/work -v $test/cache:/cache -v $test/termination:/dev/termination-log -e WORK=/work -e CACHE=/cache
    --entrypoint /usr/lib/qemu-operator/download"
}
# shellcheck disable=SC2046 # words
download() { docker run --rm $(download_options) "$runner" root "$@"; } # URL CHECKSUM
reason() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(d["data"]["reason"]); print(d, file=sys.stderr)' "$test/termination"; }
stored() {
  same digest "$digest" "$(cat "$test/work/digest-root")"
  cmp "$test/www/file" "$test/cache/sha256/$digest"
  same 'partial files' '' "$(find "$test/cache" -name 'partial-*')"
}
nothing_stored() {
  same 'files under their digest' '' "$(ls "$test/cache/sha256")"
  [ ! -e "$test/work/digest-root" ] || fail 'a digest was left'
}

download_stores_the_file() { # test
  serve
  download "$url/good" "sha256:$digest"
  stored
  same mode 444 "$(stat -c %a "$test/cache/sha256/$digest")"
}
download_by_sha512() { # test
  serve
  download "$url/good" "sha512:$(sha512sum < "$test/www/file" | cut -d ' ' -f 1)"
  stored
}
download_twice_asks_once() { # test
  serve
  download "$url/good" "sha256:$digest"
  download "$url/good" "sha256:$digest" > "$test/again"
  has "$test/again" "cached: sha256:$digest"
  same requests 1 "$(wc -l < "$test/www/requests")"
}
download_three_at_once_ask_once() { # test
  serve
  for _ in 1 2 3; do download "$url/slow" "sha256:$digest" & downloads="${downloads:-} $!"; done
  for download in $downloads; do wait "$download"; done
  stored
  same requests 1 "$(wc -l < "$test/www/requests")"
}
download_with_wrong_checksum_is_refused() { # test
  serve
  refused download "$url/good" "sha256:$(echo other | sha256sum | cut -d ' ' -f 1)"
  same reason ChecksumMismatch "$(reason)"
  nothing_stored
}
download_with_malformed_checksum_is_refused() { # test
  serve
  refused download "$url/good" md5:d41d8cd98f00b204e9800998ecf8427e
  same reason ChecksumMismatch "$(reason)"
}
download_goes_on_after_a_broken_transfer() { # test
  serve
  download "$url/broken" "sha256:$digest"
  stored
  has "$test/www/requests" '/broken bytes=1500000-'
}
download_starts_over_where_the_server_cannot_resume() { # test
  serve
  download "$url/no-ranges" "sha256:$digest"
  stored
}
download_killed_is_resumed_by_the_next() { # test
  serve
  # shellcheck disable=SC2046 # words
  killed=$(start $(download_options) "$runner" root "$url/slow" "sha256:$digest")
  within 10 'a partial file' sh -c "[ \$(stat -c %s $test/cache/partial-*) -gt 500000 ]"
  docker kill -s KILL "$killed"
  ended "$killed" 137
  nothing_stored
  download "$url/good" "sha256:$digest"
  stored
  grep -q '/good bytes=[1-9]' "$test/www/requests" || fail 'it was not resumed'
}
download_starts_over_if_the_rest_of_an_earlier_one_does_not_fit() { # test
  serve
  mkdir -p "$test/cache"
  key=$(echo "sha256:$digest" | sha256sum | cut -c 1-32)
  head -c 1000 /dev/zero > "$test/cache/partial-$key"
  download "$url/good" "sha256:$digest"
  stored
}
download_follows_redirects() { # test
  serve
  download "$url/redirect" "sha256:$digest"
  stored
}
download_tries_again_when_the_server_is_busy() { # test
  serve
  download "$url/busy" "sha256:$digest"
  stored
}
download_says_404() { # test
  serve
  refused download "$url/missing" "sha256:$digest"
  same reason DownloadFailed "$(reason)"
  has "$test/termination" 'ERROR 404'
  nothing_stored
}
download_shows_its_progress() { # test
  serve
  download "$url/slow" "sha256:$digest" > "$test/output"
  [ "$(grep -c '^[0-9]* %$' "$test/output")" -ge 2 ] || { cat "$test/output"; fail 'no progress'; }
}
download_verifies_the_server() { # test
  certificates
  serve "$all/tls/server-cert.pem" "$all/tls/server-key.pem"
  refused download "https://localhost:${url##*:}/good" "sha256:$digest"
  same reason DownloadFailed "$(reason)"
  nothing_stored
}
download_says_that_the_cache_is_full() { # test
  serve
  refused docker run --rm --network host -v "$test/work:/work" --tmpfs /cache:size=1m -v "$test/termination:/dev/termination-log" \
    -e WORK=/work -e CACHE=/cache --entrypoint /usr/lib/qemu-operator/download "$runner" root "$url/good" "sha256:$digest"
  same reason CacheFull "$(reason)"
}
download_stops_on_sigterm() { # test
  serve
  # shellcheck disable=SC2046 # words
  stopped=$(start $(download_options) "$runner" root "$url/slow" "sha256:$digest")
  within 10 'a partial file' sh -c "ls $test/cache/partial-*"
  docker kill -s TERM "$stopped"
  ended "$stopped" 143
}
