import assert from "node:assert/strict";
import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { framed, type GrpcTestClient, type Message, TestCall, until, withGrpc } from "./grpc_rig.ts";

const { root } = protobuf.parse(
  `syntax = "proto3";
   message HealthRequest { string service = 1; }
   message HealthResponse { int32 status = 1; }
   message Question { oneof of { string file = 3; string symbol = 4; string extension_of = 6; string list = 7; } }
   message Answer { Files files = 4; Services services = 6; Failure error = 7; }
   message Files { repeated bytes file = 1; }
   message Services { repeated Service service = 1; }
   message Service { string name = 1; }
   message Failure { int32 code = 1; string message = 2; }`,
);
const type = (name: string) => root.lookupType(name);

function check(client: GrpcTestClient, method: string, service: string): TestCall {
  const body = framed(type("HealthRequest").encode({ service }).finish());
  return client.raw(`/grpc.health.v1.Health/${method}`, body, {}, type("HealthResponse"));
}

Deno.test("grpc health: follows readiness, tells watchers of changes, knows its services", async () => {
  const clock = new ManualClock();
  await withGrpc(async ({ hub, connect, assertEmpty }) => {
    const client = connect();
    const status = async (service: string) => {
      const call = check(client, "Check", service);
      const { code } = await call.ended;
      return code === 0 ? call.messages[0].status : { code };
    };
    assert.equal(await status(""), 1);
    assert.equal(await status("market_data.MarketDataService"), 1);
    assert.deepEqual(await status("nope"), { code: 5 });
    const timers_before = clock.pending;
    const watch = check(client, "Watch", "");
    assert.equal((await watch.received(1)).status, 1);
    hub.reasons = ["BTCUSDT: gap"];
    clock.advance(500);
    assert.equal((await watch.received(2)).status, 2);
    assert.equal(await status(""), 2);
    hub.reasons = [];
    clock.advance(500);
    assert.equal((await watch.received(3)).status, 1);
    const unknown = check(client, "Watch", "nope");
    assert.equal((await unknown.received(1)).status, 3);
    watch.cancel();
    unknown.cancel();
    await assertEmpty();
    assert.equal(clock.pending, timers_before);
  }, { clock });
});

Deno.test("grpc reflection: lists services and describes them, under both names, in full", () =>
  withGrpc(async ({ connect, assertEmpty }) => {
    const client = connect();
    for (const version of ["v1", "v1alpha"]) {
      const ask = async (question: Message) => {
        const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
        const call = client.raw(path, framed(type("Question").encode(question).finish()), {}, type("Answer"));
        assert.equal((await call.ended).code, 0);
        return call.messages[0];
      };
      assert.deepEqual((await ask({ list: "" })).services.service.map(({ name }: Message) => name), [
        "market_data.MarketDataService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ]);
      const market = await ask({ symbol: "market_data.MarketDataService.GetTicker" });
      assert.deepEqual(market, await ask({ file: "market_data.proto" }));
      const file = descriptor.FileDescriptorProto.toObject(
        descriptor.FileDescriptorProto.decode(market.files.file[0]),
        { enums: String },
      );
      assert.equal(file.package, "market_data");
      assert.equal(file.messageType.length, 14);
      const methods = file.service[0].method;
      assert.equal(methods.length, 6);
      assert.equal(methods[3].outputType, ".market_data.OrderBookUpdate");
      assert.equal(methods[3].serverStreaming, true);
      assert.equal((await ask({ symbol: "market_data.Nope" })).error.code, 5);
      assert.equal((await ask({ extension_of: "market_data.Trade" })).error.code, 12);
    }
    await assertEmpty();
  }));

Deno.test("grpc: what needs no token is rationed per connection", () =>
  withGrpc(async ({ connect }) => {
    const client = connect();
    const calls = Array.from({ length: 300 }, () => check(client, "Check", ""));
    const codes = await Promise.all(calls.map(async ({ ended }) => (await ended).code));
    assert.ok(codes.filter((code) => code === 0).length >= 100);
    assert.ok(codes.some((code) => code === 8), "no end to it");
  }));

Deno.test("grpc: at the end every call is told, and the port is free", async () => {
  let call: TestCall | undefined;
  await withGrpc(async ({ hub, server, connect }) => {
    hub.sync("AAA", [[1, 1]], [[2, 1]]);
    call = connect().call("SubscribeToOrderBookUpdates", { symbol: "AAA" });
    await call.received(1);
    const closing = server.close();
    assert.deepEqual(await call.ended, { code: 14, message: "go on: the server shuts down" });
    await closing;
    await until("nothing", () => server.calls === 0);
  });
});
