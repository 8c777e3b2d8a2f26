import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { AddressBuckets } from "../../../../lib/servers/access/address_buckets.ts";
import { limitKey, plainAddress, TrustedProxies } from "../../../../lib/servers/access/client_address.ts";
import {
  type DoorSocket,
  FRONT_DOOR,
  FrontDoor,
  type FrontDoorConfig,
} from "../../../../lib/servers/access/front_door.ts";
import { originAllowed } from "../../../../lib/servers/access/origin.ts";
import { errorBucket, RateBucket } from "../../../../lib/servers/access/rate_bucket.ts";
import { hasTokenInUrl } from "../../../../lib/servers/access/token_in_url.ts";
import { z } from "zod";

let port = 1_000;
const socketFrom = (remoteAddress: string): DoorSocket => ({
  remoteAddress,
  remotePort: port++,
  localPort: 443,
});

function doorWith(config: Partial<FrontDoorConfig>, options: { max_addresses?: number } = {}) {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const full = z.object(FRONT_DOOR).parse(config);
  const door = new FrontDoor(full, clock, metrics, options);
  const refused = (reason: string) =>
    metrics.counter("front_door_refused_total", "", ["reason"]).with(reason).value;
  return { clock, door, refused };
}

const reasonOf = (answer: ReturnType<FrontDoor["admit"]>) =>
  "refusal" in answer ? answer.refusal.reason : "welcome";

Deno.test("front door: accepts of one address are rationed, others are not asked to wait", () => {
  const { clock, door, refused } = doorWith({ accepts_per_second_per_address: 2 });
  const from = (address: string) => door.accept(socketFrom(address));
  for (let i = 0; i < 10; i++) assert.ok(from("192.0.2.1"), `burst ${i}`);
  assert.ok(!from("192.0.2.1"));
  assert.ok(from("192.0.2.2"));
  assert.ok(!from("::ffff:192.0.2.1"), "the same address in another spelling");
  clock.advance(1_000);
  assert.ok(from("192.0.2.1"));
  assert.ok(from("192.0.2.1"));
  assert.ok(!from("192.0.2.1"));
  assert.equal(refused("address_rate"), 3);
});

Deno.test("front door: open connections of one address are capped, and a place that is left is free", () => {
  const { door } = doorWith({ max_connections_per_address: 2, accepts_per_second_per_address: 1_000 });
  const [a, b, c] = [1, 2, 3].map(() => socketFrom("192.0.2.1"));
  assert.ok(door.accept(a));
  assert.ok(door.accept(b));
  assert.ok(!door.accept(c));
  door.leave(a);
  door.leave(a);
  assert.ok(door.accept(c));
  assert.ok(!door.accept(socketFrom("192.0.2.1")), "leaving twice freed one place, not two");
  assert.equal(door.open, 2);
});

Deno.test("front door: an IPv6 client is its /64", () => {
  const { door } = doorWith({ max_connections_per_address: 1 });
  assert.ok(door.accept(socketFrom("2001:db8:1:2::1")));
  assert.ok(!door.accept(socketFrom("2001:db8:1:2:ffff:ffff:ffff:ffff")));
  assert.ok(door.accept(socketFrom("2001:db8:1:3::1")));
  assert.equal(limitKey("2001:db8::1"), "2001:db8:0:0::/64");
  assert.equal(limitKey("::1"), "0:0:0:0::/64");
  assert.equal(limitKey("2001:0db8:0:0:1::"), "2001:db8:0:0::/64");
  assert.equal(limitKey("192.0.2.1"), "192.0.2.1");
});

Deno.test("front door: who has shown no token takes one of few places until it does", () => {
  const { door, refused } = doorWith({ max_unauthenticated: 3 });
  const sockets = [1, 2, 3].map((i) => socketFrom(`192.0.2.${i}`));
  for (const socket of sockets) assert.ok(door.accept(socket));
  assert.ok(!door.accept(socketFrom("192.0.2.9")));
  assert.equal(refused("unauthenticated_full"), 1);
  door.authenticated(sockets[0]);
  door.authenticated(sockets[0]);
  assert.equal(door.unauthenticated, 2);
  assert.ok(door.accept(socketFrom("192.0.2.9")));
  for (const socket of sockets) door.leave(socket);
  assert.equal(door.unauthenticated, 1);
  assert.equal(door.open, 1);
});

Deno.test("front door: a flood of made-up addresses takes bounded memory", () => {
  const clock = new ManualClock();
  const buckets = new AddressBuckets(clock, 1, 1, 100);
  for (let i = 0; i < 10_000; i++) buckets.take(`10.0.${i >> 8}.${i & 255}`);
  assert.equal(buckets.size, 100);
  // who was seen last is remembered, who was seen first is not
  assert.ok(!buckets.take("10.0.39.15"));
  assert.ok(buckets.take("10.0.0.1"));
});

Deno.test("front door: no token in a URL", () => {
  const { door } = doorWith({});
  const knock = (url: string) => reasonOf(door.admit({ socket: socketFrom("192.0.2.1"), headers: {}, url }));
  const refused = [
    "/ws?token=x",
    "/ws?access_token=x",
    "/?TOKEN=x",
    "/?a=b&api_key=x",
    "/?apiKey=x",
    "/?jwt=x",
    "/?key=x",
    "/?auth=x",
    "/?Authorization=x",
    "/?x=mdg_abcdefgh_secret",
    "/mdg_abcdefgh_secret",
    "/?q=eyJhbGciOiJSUzI1NiJ9.e30.x",
    "/?pass%77ord=x",
  ];
  for (const url of refused) assert.equal(knock(url), "token_in_url", url);
  assert.equal(knock("/ws"), "welcome");
  assert.ok(!hasTokenInUrl("/ws?utm=1&monkey=2&tokenizer=3"));
  const answer = door.admit({ socket: socketFrom("192.0.2.2"), headers: {}, url: "/?token=hunter2-hunter2" });
  assert.doesNotMatch(JSON.stringify(answer), /hunter2/);
});

Deno.test("front door: origins are equal or they are not", () => {
  const allowed = ["https://app.example.com", "https://other.example:8443"];
  const may = (origin: string) => originAllowed(origin, allowed);
  assert.ok(may("https://app.example.com"));
  assert.ok(may("https://other.example:8443"));
  const near_misses = [
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.net",
    "https://evil-app.example.com",
    "https://sub.app.example.com",
    "https://app.example.com/",
    "https://app.example.com@evil.net",
    "https://user@app.example.com",
    "https://app.example.com#",
    "https://APP.example.com",
    "https://app.example.com, https://evil.net",
    "https://other.example",
    "https://other.example:443",
    "https://other.example:84430",
    "https://appXexample.com",
    "null",
    "",
    "*",
    "file://",
    "http://localhost:3000",
    "http://127.0.0.1",
  ];
  for (const origin of near_misses) assert.ok(!may(origin), origin);
  assert.ok(
    originAllowed("https://app.example.com", ["https://APP.example.com:443"]),
    "config may be spelt freely",
  );
  assert.ok(originAllowed("http://localhost:3000", [], true));
  assert.ok(!originAllowed("http://localhost.evil.net", [], true));
  assert.ok(!originAllowed("http://127.0.0.1.evil.net", [], true));
  for (
    const wrong of [
      "*",
      "https://*.example.com",
      "null",
      "app.example.com",
      "ftp://a.example",
      "https://a.b/c",
    ]
  ) {
    assert.ok(!z.object(FRONT_DOOR).safeParse({ allowed_origins: [wrong] }).success, wrong);
  }
});

Deno.test("front door: a page from elsewhere is refused, a program without Origin is not", () => {
  const { door } = doorWith({ allowed_origins: ["https://app.example.com"] });
  const knock = (headers: Record<string, string>) =>
    reasonOf(door.admit({ socket: socketFrom("192.0.2.1"), headers, url: "/ws" }));
  assert.equal(knock({ origin: "https://evil.example" }), "origin");
  assert.equal(knock({ origin: "https://app.example.com" }), "welcome");
  assert.equal(knock({}), "welcome");
  assert.equal(knock({ origin: "" }), "origin");
});

Deno.test("proxies: X-Forwarded-For counts only from configured ones, and from the right", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "fd00::/8", "192.0.2.7"]);
  const client = (remote: string, header?: string) => proxies.clientOf(remote, header);
  assert.equal(client("203.0.113.5", "1.1.1.1"), "203.0.113.5", "a stranger's header means nothing");
  assert.equal(client("10.1.2.3", "198.51.100.4"), "198.51.100.4");
  assert.equal(client("::ffff:10.1.2.3", "198.51.100.4"), "198.51.100.4");
  assert.equal(
    client("10.1.2.3", "1.1.1.1, 198.51.100.4"),
    "198.51.100.4",
    "what the client wrote stands left",
  );
  assert.equal(client("10.1.2.3", "10.9.9.9, 198.51.100.4, 10.4.4.4, 192.0.2.7"), "198.51.100.4");
  assert.equal(client("10.1.2.3", "198.51.100.4:1234"), "198.51.100.4");
  assert.equal(client("10.1.2.3", "[2001:db8::1]:443"), "2001:db8::1");
  assert.equal(client("10.1.2.3", "unknown"), "10.1.2.3");
  assert.equal(client("10.1.2.3", "198.51.100.4, garbage"), "10.1.2.3", "what cannot be read ends it");
  assert.equal(client("10.1.2.3", ""), "10.1.2.3");
  assert.equal(client("10.1.2.3", undefined), "10.1.2.3");
  assert.equal(client("10.1.2.3", "9.9.9.9,".repeat(10_000)), "10.1.2.3", "no header is that long");
  assert.equal(client("10.1.2.3", Array(100).fill("10.0.0.1").join(",")), "10.0.0.1");
  assert.equal(
    new TrustedProxies([]).clientOf("10.1.2.3", "1.1.1.1"),
    "10.1.2.3",
    "nobody is trusted by default",
  );
  assert.equal(plainAddress("999.1.1.1"), undefined);
  assert.equal(plainAddress("1.2.3.4; drop"), undefined);
});

Deno.test("front door: behind a proxy limits are the client's, not the proxy's, and cannot be dodged by a forged header", () => {
  const { door } = doorWith({ trusted_proxies: ["10.0.0.0/8"], max_connections_per_address: 2 });
  const knock = (forwarded: string) => {
    const socket = socketFrom("10.0.0.1");
    assert.ok(door.accept(socket));
    const answer = door.admit({ socket, headers: { "x-forwarded-for": forwarded }, url: "/" });
    return { socket, said: "peer" in answer ? answer.peer.address : answer.refusal.reason };
  };
  assert.equal(knock("198.51.100.1").said, "198.51.100.1");
  const second = knock("6.6.6.6, 198.51.100.1");
  assert.equal(second.said, "198.51.100.1");
  assert.equal(knock("7.7.7.7, 198.51.100.1").said, "address_full");
  assert.equal(knock("198.51.100.2").said, "198.51.100.2");
  door.leave(second.socket);
  assert.equal(knock("198.51.100.1").said, "198.51.100.1");
});

Deno.test("front door: a handshake whose socket was never announced is judged all the same", () => {
  const { door, refused } = doorWith({ max_connections_per_address: 1 });
  assert.equal(reasonOf(door.admit({ socket: socketFrom("192.0.2.1"), headers: {}, url: "/" })), "welcome");
  assert.equal(
    reasonOf(door.admit({ socket: socketFrom("192.0.2.1"), headers: {}, url: "/" })),
    "address_full",
  );
  assert.equal(refused("address_full"), 1);
  assert.equal(reasonOf(door.admit({ socket: {}, headers: {}, url: "/" })), "gone");
});

Deno.test("rate bucket: the mean holds, a burst is a burst, a large one leaves a debt", () => {
  const clock = new ManualClock();
  const bucket = new RateBucket(clock, 100, 100);
  assert.ok(bucket.take(100));
  assert.ok(!bucket.take(1));
  assert.equal(bucket.retry_after_ms(50), 500);
  clock.advance(500);
  assert.ok(bucket.take(50));
  clock.advance(1_000);
  assert.ok(bucket.take(1_000), "larger than the burst: passes when full");
  assert.ok(!bucket.take(1));
  assert.equal(bucket.retry_after_ms(1), 9_010);
  clock.advance(9_010);
  assert.ok(bucket.take(1));
  assert.equal(bucket.draw(10), 0);
});

Deno.test("error bucket: twenty in a row, then four a second", () => {
  const clock = new ManualClock();
  const errors = errorBucket(clock);
  for (let i = 0; i < 20; i++) assert.ok(errors.take());
  assert.ok(!errors.take());
  clock.advance(5_000);
  for (let i = 0; i < 20; i++) assert.ok(errors.take());
  assert.ok(!errors.take());
});
