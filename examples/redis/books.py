"""Best prices of books that mdg publishes to Redis: the latest at once, then each change. Debian: python3-redis.

    python3 books.py redis://127.0.0.1:6379 BTCUSDT [COUNT]
"""
import json
import sys

import redis

url, symbol, count = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0
server = redis.Redis.from_url(url)
subscriber = server.pubsub(ignore_subscribe_messages=True)
subscriber.subscribe(f"orderbook:{symbol}")  # first: nothing falls between the key and the channel


def payloads():
    latest = server.get(f"orderbook:latest:{symbol}")  # gone while the book is out of sync
    if latest is not None:
        yield latest
    for message in subscriber.listen():
        yield message["data"]


last_update_id = -1
for payload in payloads():
    book = json.loads(payload)
    if book["last_update_id"] <= last_update_id:
        continue  # the key was newer than the first message
    last_update_id = book["last_update_id"]
    (bid, bid_quantity), (ask, ask_quantity) = book["bids"][0], book["asks"][0]
    print(f"{symbol} {bid} x {bid_quantity} | {ask} x {ask_quantity}", flush=True)
    count -= 1
    if count == 0:
        break
