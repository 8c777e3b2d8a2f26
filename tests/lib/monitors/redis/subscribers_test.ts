/** Subscribers near their output-buffer limit, from the very lines that Redis prints. */
import assert from "node:assert/strict";
import { limitsOf, SubscriberWatch } from "../../../../lib/monitors/redis/subscribers.ts";

const SETTING = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";
const client = (id: number, omem: number, name = "") =>
  `id=${id} addr=127.0.0.1:${
    40_000 + id
  } laddr=127.0.0.1:6379 fd=8 name=${name} age=3 idle=2 flags=P db=0 sub=2 psub=1 ` +
  `ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=1024 rbp=0 obl=0 oll=5 omem=${omem} tot-mem=${omem} ` +
  `events=r cmd=subscribe user=default redir=-1 resp=2`;

Deno.test("limits of a class; what is none", () => {
  assert.deepEqual(limitsOf(SETTING, "pubsub"), {
    hard_bytes: 33_554_432,
    soft_bytes: 8_388_608,
    soft_s: 60,
  });
  assert.deepEqual(limitsOf(SETTING, "normal"), { hard_bytes: 0, soft_bytes: 0, soft_s: 0 });
  assert.equal(limitsOf("", "pubsub"), undefined);
  assert.equal(limitsOf("pubsub 1 2", "pubsub"), undefined);
});

Deno.test("the fullest first, in percent of the limit that is met first", () => {
  const limits = limitsOf(SETTING, "pubsub");
  const [first, second] = new SubscriberWatch().look(
    [client(1, 0), client(2, 4_194_304, "slow")].join("\n"),
    limits,
    0,
  );
  assert.equal(first.name, "slow");
  assert.equal(first.limit_pct, 50);
  assert.deepEqual([first.channels, first.patterns, first.idle_s], [2, 1, 2]);
  assert.equal(first.closes_in_s, undefined);
  assert.equal(second.limit_pct, 0);
});

Deno.test("over the soft limit the time that is left runs down, and starts anew after a look below", () => {
  const limits = limitsOf(SETTING, "pubsub");
  const watch = new SubscriberWatch();
  const look = (omem: number, at_s: number) => watch.look(client(7, omem), limits, at_s * 1_000)[0];
  assert.deepEqual([look(9_000_000, 0).over_soft_s, look(9_000_000, 20).closes_in_s], [0, 40]);
  assert.equal(look(9_000_000, 70).closes_in_s, 0);
  assert.equal(look(100, 72).closes_in_s, undefined);
  assert.equal(look(9_000_000, 74).closes_in_s, 60);
});

Deno.test("no limits, no percentage; only a hard limit", () => {
  const watch = new SubscriberWatch();
  assert.equal(
    watch.look(client(1, 5), { hard_bytes: 0, soft_bytes: 0, soft_s: 0 }, 0)[0].limit_pct,
    undefined,
  );
  assert.equal(watch.look(client(1, 5), undefined, 0)[0].limit_pct, undefined);
  assert.equal(watch.look(client(1, 5), { hard_bytes: 10, soft_bytes: 0, soft_s: 0 }, 0)[0].limit_pct, 50);
  assert.deepEqual(watch.look("", undefined, 0), []);
});
