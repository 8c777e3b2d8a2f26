"""A book kept by the rules of the protocol (lib/servers/restream/README.md, "Keeping a book"): connects again, resumes,
and prints the best prices only while the book is right. Debian: python3-websockets.

    python3 book.py ws://127.0.0.1:8080 BTCUSD [COUNT]
"""
import asyncio
import json
import sys

import websockets


class Book:
    def __init__(self, symbol):
        self.symbol, self.resume = symbol, None
        self.bids, self.asks, self.is_right = {}, {}, False

    def subscription(self):
        wish = {"type": "subscribe", "symbol": self.symbol, "channel": "book", "depth": 20}
        if self.resume:
            wish["resume"] = self.resume
        return json.dumps(wish)

    def take(self, message, epoch):
        """True when there are prices to be used."""
        kind = message["type"]
        if kind == "snapshot":
            self.bids, self.asks = dict(message["bids"]), dict(message["asks"])
        elif kind == "delta":
            if message["seq"] != self.resume["seq"] + 1:
                raise ConnectionError("a sequence that does not follow")
            for side, levels in ((self.bids, message["bids"]), (self.asks, message["asks"])):
                for price, quantity in levels:
                    if quantity == 0:
                        side.pop(price, None)
                    else:
                        side[price] = quantity
        elif kind in ("status", "lag") and not message.get("in_sync"):
            self.is_right, self.resume = False, None  # a snapshot will follow
            return False
        else:
            return False
        self.resume = {"epoch": epoch, "seq": message["seq"]}
        self.is_right = bool(self.bids and self.asks)
        return self.is_right

    def line(self):
        bid, ask = max(self.bids), min(self.asks)
        return f"{self.symbol} {bid} x {self.bids[bid]} | {ask} x {self.asks[ask]}"


async def main(url, symbol, count):
    book = Book(symbol)
    async for server in websockets.connect(url, max_size=64 << 20):  # connects again by itself, with backoff
        try:
            hello = json.loads(await server.recv())
            await server.send(book.subscription())
            async for text in server:
                message = json.loads(text)
                if message["type"] == "error":
                    sys.exit(f"{message['code']}: {message['message']}")
                if message["type"] != "heartbeat" and book.take(message, hello["epoch"]):
                    print(book.line(), flush=True)
                    count -= 1
                    if count == 0:
                        return
        except (websockets.ConnectionClosed, ConnectionError) as reason:
            if getattr(reason, "code", 0) >= 4500:
                sys.exit(f"not to come back: {reason}")


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
