# shellcheck shell=sh disable=SC2154 # the variables of `run`
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
  download "sha256:$digest" "$url/good"
  stored
  same mode 444 "$(stat -c %a "$test/cache/sha256/$digest")"
}
download_tells_the_digest_also_of_what_is_cached() { # test
  serve
  sha512=sha512:$(sha512sum < "$test/www/file" | cut -d ' ' -f 1)
  download "$sha512" "$url/good"
  told_digest "$digest" raw "$url/good"
  : > "$test/termination"
  download "$sha512" "$url/good"
  told_digest "$digest" raw
}
download_by_sha512() { # test
  serve
  download "sha512:$(sha512sum < "$test/www/file" | cut -d ' ' -f 1)" "$url/good"
  stored
}
download_twice_asks_once() { # test
  serve
  download "sha256:$digest" "$url/good"
  download "sha256:$digest" "$url/good" > "$test/again"
  has "$test/again" "cached: sha256:$digest"
  same requests 1 "$(wc -l < "$test/www/requests")"
}
download_three_at_once_ask_once() { # test
  serve
  for _ in 1 2 3; do download "sha256:$digest" "$url/slow" & downloads="${downloads:-} $!"; done
  for download in $downloads; do wait "$download"; done
  stored
  same requests 1 "$(wc -l < "$test/www/requests")"
}
download_with_wrong_checksum_is_refused() { # test
  serve
  refused download "sha256:$(echo other | sha256sum | cut -d ' ' -f 1)" "$url/good"
  same reason ChecksumMismatch "$(reason)"
  nothing_stored
}
download_with_malformed_checksum_is_refused() { # test
  serve
  refused download md5:d41d8cd98f00b204e9800998ecf8427e "$url/good"
  same reason ChecksumMismatch "$(reason)"
}
download_goes_on_after_a_broken_transfer() { # test
  serve
  download "sha256:$digest" "$url/broken"
  stored
  has "$test/www/requests" '/broken bytes=1500000-'
}
download_starts_over_where_the_server_cannot_resume() { # test
  serve
  download "sha256:$digest" "$url/no-ranges"
  stored
}
download_killed_is_resumed_by_the_next() { # test
  serve
  # shellcheck disable=SC2046 # words
  killed=$(start $(download_options) "$runner" root "sha256:$digest" "$url/slow")
  within 10 'a partial file' sh -c "[ \$(stat -c %s $test/cache/partial-*) -gt 500000 ]"
  docker kill -s KILL "$killed"
  ended "$killed" 137
  nothing_stored
  download "sha256:$digest" "$url/good"
  stored
  grep -q '/good bytes=[1-9]' "$test/www/requests" || fail 'it was not resumed'
}
download_starts_over_if_the_rest_of_an_earlier_one_does_not_fit() { # test
  serve
  mkdir -p "$test/cache"
  key=$(echo "sha256:$digest" | sha256sum | cut -c 1-32)
  head -c 1000 /dev/zero > "$test/cache/partial-$key"
  download "sha256:$digest" "$url/good"
  stored
}
download_follows_redirects() { # test
  serve
  download "sha256:$digest" "$url/redirect"
  stored
}
download_tries_again_when_the_server_is_busy() { # test
  serve
  download "sha256:$digest" "$url/busy"
  stored
}
download_says_404() { # test
  serve
  refused download "sha256:$digest" "$url/missing"
  same reason DownloadFailed "$(reason)"
  has "$test/termination" 'ERROR 404'
  nothing_stored
}
download_shows_its_progress() { # test
  serve
  download "sha256:$digest" "$url/slow" > "$test/output"
  [ "$(grep -c '^[0-9]* %, [0-9]* KiB/s$' "$test/output")" -ge 2 ] || { cat "$test/output"; fail 'no progress'; }
}
download_verifies_the_server() { # test
  certificates
  serve "$all/tls/server-cert.pem" "$all/tls/server-key.pem"
  refused download "sha256:$digest" "https://localhost:${url##*:}/good"
  same reason DownloadFailed "$(reason)"
  nothing_stored
}
download_says_that_the_cache_is_full() { # test
  serve
  refused docker run --rm --network host -v "$test/work:/handover" --tmpfs /cache:size=1m -v "$test/termination:/dev/termination-log" \
    -e HANDOVER=/handover -e CACHE=/cache --entrypoint /usr/lib/qemu-operator/download "$runner" root "sha256:$digest" "$url/good"
  same reason CacheFull "$(reason)"
}
download_stops_on_sigterm() { # test
  serve
  # shellcheck disable=SC2046 # words
  stopped=$(start $(download_options) "$runner" root "sha256:$digest" "$url/slow")
  within 10 'a partial file' sh -c "ls $test/cache/partial-*"
  docker kill -s TERM "$stopped"
  ended "$stopped" 143
}
download_takes_the_next_url_if_one_is_missing() { # test
  serve
  download "sha256:$digest" "$url/missing" "$url/good"
  stored
}
download_takes_the_next_url_if_one_has_other_content() { # test
  serve
  download "sha256:$digest" "$url/wrong" "$url/good"
  stored
}
download_goes_on_at_the_next_url_where_one_broke_off() { # test
  serve
  download "sha256:$digest" "$url/half" "$url/good"
  stored
  has "$test/www/requests" '/good bytes=1500000-'
}
download_stops_at_the_first_url_that_works() { # test
  serve
  download "sha256:$digest" "$url/good" "$url/missing"
  same requests '/good -' "$(cat "$test/www/requests")"
}
download_says_why_each_url_failed() { # test
  serve
  refused download "sha256:$digest" "$url/missing" "$url/wrong"
  same reason ChecksumMismatch "$(reason)"
  has "$test/termination" "$url/missing: "
  has "$test/termination" 'ERROR 404'
  has "$test/termination" "$url/wrong has sha256:"
  has "$test/termination" "sha256:$digest is required"
  nothing_stored
  refused download "sha256:$digest" "$url/missing" "$url/missing?again"
  same reason DownloadFailed "$(reason)"
  nothing_stored
}
