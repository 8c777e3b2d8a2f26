#!/usr/bin/env bash
# A new user's path, timed: clone, start, first prices, tests. Works in a temporary folder that is removed.
#   scripts/first_steps.sh [--cold] [PATH OF TESTS…]    all tests without a path; --cold: nothing cached, Deno by npx
# MDG_CLONE_FROM names another place to clone from; FIRST_STEPS_PORT (18080) and the next one must be free.
set -euo pipefail
from=${MDG_CLONE_FROM:-$(cd "$(dirname "$0")/.." && pwd)}
port=${FIRST_STEPS_PORT:-18080}
health=http://127.0.0.1:$((port + 1))
if curl -s -o /dev/null "$health"; then
  echo "listen on 127.0.0.1:$((port + 1)): taken, want another FIRST_STEPS_PORT" >&2
  exit 1
fi
set -m # the gateway gets a process group of its own: npx does not hand signals on
folder=$(mktemp -d)
gateway=
finish() {
  [ -z "$gateway" ] || kill -TERM "-$gateway" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

deno="deno"
if [ "${1:-}" = --cold ]; then
  shift
  deno="npx -y deno@2.8.3"
  export DENO_DIR="$folder/deno" npm_config_cache="$folder/npm"
elif ! command -v deno >/dev/null; then
  deno="npx -y deno@2.8.3"
fi

began=$(date +%s%N)
told=$began
step() {
  now=$(date +%s%N)
  printf '%8.1f s  %8.1f s  %s\n' "$(echo "($now - $told) / 1000000000" | bc -l)" \
    "$(echo "($now - $began) / 1000000000" | bc -l)" "$1"
  told=$now
}
echo "      step       all  what"

git clone --quiet "$from" "$folder/mdg"
cd "$folder/mdg"
step "cloned"

$deno task -q mdg run --listen "127.0.0.1:$port" --health-listen "127.0.0.1:$((port + 1))" 2>"$folder/log" &
gateway=$!
until [ "$(curl -s -o /dev/null -w '%{http_code}' "$health/ready" || true)" = 200 ]; do
  kill -0 "$gateway" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
step "the gateway is ready"

$deno run --quiet --allow-net --allow-env examples/websocket/book.ts "ws://127.0.0.1:$port" BTCUSD 5
step "five prices read by a client"
$deno task -q mdg monitor gateway "127.0.0.1:$((port + 1))" --once | head -n 3
step "a look at the gateway"
kill -TERM "-$gateway"
{ wait "$gateway" || true; } 2>/dev/null
gateway=
for _ in $(seq 250); do # it drains; npx does not wait for that
  curl -s -o /dev/null "$health" || break
  sleep 0.1
done
if curl -s -o /dev/null "$health"; then
  echo "stop the gateway: it still answers" >&2
  exit 1
fi
step "stopped"

if ! $deno task -q test "$@" >"$folder/tests" 2>&1; then
  # What failed and why, or, when it did not come so far, the end of what was said.
  { sed -n '/ ERRORS /,$p' "$folder/tests" | grep . || tail -n 40 "$folder/tests"; } | head -n 400 >&2
  exit 1
fi
tail -n 1 "$folder/tests"
step "tests"
