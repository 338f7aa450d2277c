#!/bin/sh
# /index.html: boot counter and uptime
printf 'Content-Type: text/plain\r\n\r\nboots %s\nuptime %s\n' "$(cat /tmp/boots)" "$(cut -d ' ' -f 1 /proc/uptime)"
