"""Best prices of a book over gRPC. Debian: python3-grpcio, python3-protobuf, protobuf-compiler.

    protoc -I ../../lib/servers/grpc/schema --python_out=. market_data.proto
    python3 book.py 127.0.0.1:50051 BTCUSD [COUNT]
"""
import sys

import grpc
import market_data_pb2 as market_data

address, symbol = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 0

channel = grpc.insecure_channel(address)
subscribe = channel.unary_stream(
    "/market_data.MarketDataService/SubscribeToOrderBookUpdates",
    request_serializer=market_data.OrderBookSubscriptionRequest.SerializeToString,
    response_deserializer=market_data.OrderBookUpdate.FromString,
)
# At most one in update_speed milliseconds, each with all `depth` levels. wait_for_ready: the server may come up later.
request = market_data.OrderBookSubscriptionRequest(symbol=symbol, depth=5, update_speed=100)
try:
    for update in subscribe(request, wait_for_ready=True):
        bid, ask = update.order_book.bids[0], update.order_book.asks[0]
        print(f"{symbol} {bid.price} x {bid.quantity} | {ask.price} x {ask.quantity}", flush=True)
        count -= 1
        if count == 0:
            break
except grpc.RpcError as error:
    sys.exit(f"{error.code().name}: {error.details()}")
