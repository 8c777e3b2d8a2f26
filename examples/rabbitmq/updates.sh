#!/bin/sh
# Updates of a stream, one JSON a line, from its beginning, by the stream protocol itself: updates.sh rabbitmq-stream://HOST:5552 STREAM [COUNT]
set -eu
mdg=${MDG:-mdg}
# shellcheck disable=SC2086 # MDG may be several words
$mdg tail rabbitmq "$2" --url "$1" --from first ${3:+--count "$3"}
