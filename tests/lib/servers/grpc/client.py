"""The same remote control as client.mjs, over gRPC's C core. Knows no protocol file: it asks the server's reflection."""
import json
import sys
import threading

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format

try:
    from google.protobuf.message_factory import GetMessageClass as message_class
except ImportError:
    from google.protobuf.message_factory import MessageFactory

    message_class = MessageFactory().GetPrototype

SERVICE = "market_data.MarketDataService"
address = sys.argv[1]
if len(sys.argv) > 2:
    with open(sys.argv[2], "rb") as file:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))
else:
    channel = grpc.insecure_channel(address)


def field_of(message, wanted):
    """The bytes of a length-delimited field, by hand: before reflection there are no classes."""
    at = 0
    while at < len(message):
        number, wire = message[at] >> 3, message[at] & 7
        at += 1
        size, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if wire != 2:
            continue
        if number == wanted:
            return message[at:at + size]
        at += size
    raise SystemExit("reflection: no field %d" % wanted)


def reflect(symbol):
    ask = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    name = symbol.encode()
    reply = next(ask(iter([bytes([0x22, len(name)]) + name])))
    return field_of(field_of(reply, 4), 1)


pool = descriptor_pool.DescriptorPool()
pool.Add(descriptor_pb2.FileDescriptorProto.FromString(reflect(SERVICE)))
service = pool.FindServiceByName(SERVICE)


def method_of(name):
    method = service.methods_by_name[name]
    request = message_class(method.input_type)
    reply = message_class(method.output_type)
    make = channel.unary_stream if name.startswith("Subscribe") else channel.unary_unary
    path = "/%s/%s" % (SERVICE, name)
    return make(path, request.SerializeToString, reply.FromString), request


def plain(message):
    value = json_format.MessageToDict(message, preserving_proto_field_name=True)

    def whole(at, descriptor):
        for field in descriptor.fields:
            if field.name not in at:
                continue
            if field.cpp_type == field.CPPTYPE_UINT64:
                at[field.name] = int(at[field.name])
            elif field.message_type:
                inner = at[field.name]
                for one in inner if isinstance(inner, list) else [inner]:
                    whole(one, field.message_type)

    whole(value, message.DESCRIPTOR)
    return value


class Stream:
    def __init__(self, wish):
        self.count, self.last, self.status = 0, None, None
        self.changed = threading.Condition()
        self.reading = threading.Event()
        self.reading.set()
        call, request = method_of(wish["method"])
        timeout = wish["deadline_ms"] / 1000 if "deadline_ms" in wish else None
        metadata = list(wish.get("metadata", {}).items())
        self.call = call(request(**wish["request"]), timeout=timeout, metadata=metadata)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while True:
                self.reading.wait()
                message = next(self.call)
                with self.changed:
                    self.count += 1
                    self.last = message
                    self.changed.notify_all()
        except (grpc.RpcError, StopIteration, grpc.FutureCancelledError):
            with self.changed:
                self.status = {"code": self.call.code().value[0], "details": self.call.details()}
                self.changed.notify_all()

    def state(self):
        last = None if self.last is None else plain(self.last)
        return {"count": self.count, "last": last, "status": self.status}


streams = {}


def value_at(message, path):
    value = plain(message) if message is not None else None
    for key in path.split("."):
        if value is None:
            return None
        value = value[int(key)] if isinstance(value, list) else value.get(key)
    return value


def unary(wish):
    call, request = method_of(wish["method"])
    timeout = wish["deadline_ms"] / 1000 if "deadline_ms" in wish else None
    try:
        reply = call(request(**wish["request"]), timeout=timeout, metadata=list(wish.get("metadata", {}).items()))
        return {"value": plain(reply)}
    except grpc.RpcError as error:
        return {"code": error.code().value[0], "details": error.details()}


def open_all(wish):
    for one in wish["streams"]:
        streams[one["name"]] = Stream(one)


def until(wish):
    for name in wish["names"]:
        stream = streams[name]

        def done():
            if stream.status is not None:
                return True
            if wish.get("end"):
                return False
            if "path" in wish:
                return value_at(stream.last, wish["path"]) == wish["equals"]
            return stream.count >= wish["count"]

        with stream.changed:
            stream.changed.wait_for(done)
    return [streams[name].state() for name in wish["names"]]


def each(what):
    def run(wish):
        for name in wish["names"]:
            what(streams[name])

    return run


commands = {
    "unary": unary,
    "open": open_all,
    "until": until,
    "pause": each(lambda stream: stream.reading.clear()),
    "resume": each(lambda stream: stream.reading.set()),
    "cancel": each(lambda stream: stream.call.cancel()),
}

for line in sys.stdin:
    wish = json.loads(line)
    reply = commands[wish.pop("command")](wish)
    print(json.dumps(reply), flush=True)
channel.close()
