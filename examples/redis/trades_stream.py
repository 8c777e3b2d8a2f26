"""Trades from a Redis stream (sink `redis` with `deliver: streams`), none missed over a restart: the id that was reached
is kept in a file. Debian: python3-redis.

    python3 trades_stream.py redis://127.0.0.1:6379 BTCUSDT POSITION_FILE [COUNT]
"""
import json
import os
import sys

import redis

url, symbol, position_file = sys.argv[1:4]
count = int(sys.argv[4]) if len(sys.argv) > 4 else 0
server = redis.Redis.from_url(url)
stream = f"trades:{symbol}"
position = "0"
if os.path.exists(position_file):
    with open(position_file) as file:
        position = file.read().strip()

done = False
while not done:
    for _, entries in server.xread({stream: position}, count=1000, block=5000):
        for entry_id, fields in entries:
            trade = json.loads(fields[b"payload"])
            print(f"{symbol} {trade.get('trade_id')} {trade['price']} x {trade['quantity']}", flush=True)
            position = entry_id.decode()
            count -= 1
            done = count == 0
            if done:
                break
        # whole or not at all: after a crash some trades come again (same trade_id), none is missing
        with open(f"{position_file}.new", "w") as file:
            file.write(position)
        os.replace(f"{position_file}.new", position_file)
