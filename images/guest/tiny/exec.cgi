#!/bin/sh
# POST /cgi-bin/exec: runs the posted text with sh as root; the answer is its output, errors included, and its exit
# code in the header Exit-Code. The output is a file first, so that background processes do not hold the answer back.
script=$(mktemp /tmp/exec.XXXXXX)
head -c "${CONTENT_LENGTH:-0}" > "$script"
code=0
(cd / && PATH=/bin sh "$script" > "$script.out" 2>&1 < /dev/null) || code=$?
printf 'Content-Type: text/plain\r\nExit-Code: %s\r\n\r\n' $code
cat "$script.out"
rm -f "$script" "$script.out"
