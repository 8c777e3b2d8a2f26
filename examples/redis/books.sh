#!/bin/sh
# Best prices of a book, with nothing but redis-cli and jq: books.sh HOST PORT SYMBOL [COUNT]
set -eu
host=$1 port=$2 symbol=$3 count=${4:-0}
prices='"\(.symbol) \(.bids[0][0]) x \(.bids[0][1]) | \(.asks[0][0]) x \(.asks[0][1])"'

# redis-cli prints three lines a message: message, channel, payload. COUNT ends it by closing the pipe.
redis-cli -h "$host" -p "$port" subscribe "orderbook:$symbol" |
  grep --line-buffered '^{' |
  if [ "$count" -gt 0 ]; then head -n "$count"; else cat; fi |
  jq --unbuffered -r "$prices"
