#!/bin/sh
# What GetOrderBook answers, by HTTP from the health port, for programs without gRPC: book.sh HOST:PORT SYMBOL [DEPTH]
set -eu
curl -fsS "http://$1/book/$2?depth=${3:-5}" |
  jq -r '"\(.symbol) \(.bids[0].price) x \(.bids[0].quantity) | \(.asks[0].price) x \(.asks[0].quantity)"'
