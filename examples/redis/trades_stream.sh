#!/bin/sh
# The newest COUNT trades of a stream, oldest first: trades_stream.sh HOST PORT SYMBOL COUNT
set -eu
redis-cli -h "$1" -p "$2" --raw xrevrange "trades:$3" + - count "$4" |
  grep '^{' | tac | jq -c '[.trade_id, .price, .quantity]'
