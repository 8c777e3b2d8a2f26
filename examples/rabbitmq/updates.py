"""Updates that mdg writes to a RabbitMQ stream, over AMQP 0-9-1, which the broker offers beside the stream protocol.
A stream wants a prefetch limit, acknowledgements and an offset. Debian: python3-pika.

    python3 updates.py amqp://guest:guest@127.0.0.1:5672/ marketupdates first [COUNT]

The offset: first, last, next, or a number to go on after. Each message's own is in the header x-stream-offset.
"""
import json
import sys

import pika

url, stream, offset = sys.argv[1:4]
left = int(sys.argv[4]) if len(sys.argv) > 4 else 0

connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.basic_qos(prefetch_count=1000)
start = int(offset) if offset.isdigit() else offset
for method, properties, body in channel.consume(stream, arguments={"x-stream-offset": start}):
    update = json.loads(body)
    at = properties.headers["x-stream-offset"]
    print(at, update["kind"], update["venue"], update["symbol"], update.get("price", ""), flush=True)
    channel.basic_ack(method.delivery_tag)
    left -= 1
    if left == 0:
        break
# no connection.close(): pika would reject what was prefetched, which a stream refuses
