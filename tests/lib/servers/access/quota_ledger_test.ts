import assert from "node:assert/strict";
import { ManualClock, nextTurn, systemClock } from "../../../../lib/base/clock.ts";
import { portLedger, serveLedger } from "../../../../lib/servers/access/port_ledger.ts";
import { type Drawn, LocalLedger, type QuotaLedger } from "../../../../lib/servers/access/quota_ledger.ts";
import { TenantShare } from "../../../../lib/servers/access/tenant_share.ts";

Deno.test("local ledger: places, and what is given back twice is given back once", async () => {
  const ledger = new LocalLedger(new ManualClock());
  assert.ok(await ledger.acquire("a", 2));
  assert.ok(await ledger.acquire("a", 2));
  assert.ok(!await ledger.acquire("a", 2));
  assert.ok(await ledger.acquire("a", 3), "the limit is the caller's");
  assert.ok(await ledger.acquire("b", 1));
  for (let i = 0; i < 5; i++) ledger.release("a");
  ledger.release("nobody");
  assert.ok(await ledger.acquire("a", 1));
  assert.ok(!await ledger.acquire("a", 1));
});

Deno.test("local ledger: a tenant that comes again has not got its bytes back", async () => {
  const clock = new ManualClock();
  const ledger = new LocalLedger(clock);
  assert.equal((await ledger.draw("a", 10_000, 1_000)).bytes, 1_000);
  await ledger.acquire("a", 1);
  ledger.release("a");
  assert.deepEqual(await ledger.draw("a", 500, 1_000), { bytes: 0, retry_after_ms: 500 });
  clock.advance(100);
  assert.deepEqual(await ledger.draw("a", 500, 1_000), { bytes: 100, retry_after_ms: 400 });
});

/** Like a remote ledger over `bucket`: answers later, never at once. */
function remote(bucket: LocalLedger, log: number[] = []): QuotaLedger {
  return {
    acquire: (tenant, max) => bucket.acquire(tenant, max),
    release: (tenant) => bucket.release(tenant),
    async draw(tenant, want, rate): Promise<Drawn> {
      log.push(want);
      await nextTurn();
      return await bucket.draw(tenant, want, rate);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test("share: two threads of slices together keep the tenant's rate, and none starves", async () => {
  const clock = new ManualClock();
  const bucket = new LocalLedger(clock);
  const rate = 100_000;
  const shares = [0, 1].map(() => new TenantShare("a", remote(bucket), clock, rate));
  for (const share of shares) await share.prepare();
  const sent = [0, 0];
  for (let ms = 0; ms < 20_000; ms += 10) {
    clock.advance(10);
    for (const [i, share] of shares.entries()) while (share.takeBytes(500)) sent[i] += 500;
    await nextTurn();
  }
  const total = sent[0] + sent[1];
  // twenty seconds' worth and the burst at the start
  assert.ok(total <= 21 * rate + 1_000, `${total}`);
  assert.ok(total >= 19 * rate, `${total}`);
  for (const one of sent) assert.ok(one > 0.3 * total, `${sent}`);
});

Deno.test("share: what is larger than a second's worth passes, and is paid for afterwards", async () => {
  const clock = new ManualClock();
  const share = new TenantShare("a", remote(new LocalLedger(clock)), clock, 10_000);
  await share.prepare();
  let waited_ms = 0;
  const take = async (bytes: number) => {
    while (!share.takeBytes(bytes)) {
      await nextTurn();
      clock.advance(50);
      waited_ms += 50;
      assert.ok(waited_ms < 60_000, "it never passed");
    }
  };
  await take(30_000);
  await take(1);
  assert.ok(waited_ms >= 2_000, `${waited_ms}`);
});

Deno.test("share: an exhausted tenant asks ten times a second, not at every message", async () => {
  const clock = new ManualClock();
  const asked: number[] = [];
  const bucket = new LocalLedger(clock);
  const share = new TenantShare("a", remote(bucket, asked), clock, 1_024);
  await share.prepare();
  for (let ms = 0; ms < 10_000; ms++) {
    clock.advance(1);
    share.takeBytes(600);
    if (ms % 5 === 0) await nextTurn();
  }
  assert.ok(asked.length <= 150, `${asked.length}`);
});

Deno.test("share: a ledger that fails is asked again after a pause", async () => {
  const clock = new ManualClock();
  let asked = 0;
  const broken = remote(new LocalLedger(clock));
  broken.draw = () => {
    asked++;
    return Promise.reject(new Error("gone"));
  };
  const share = new TenantShare("a", broken, clock, 1_000);
  await share.prepare();
  for (let i = 0; i < 100; i++) assert.ok(!share.takeBytes(1));
  assert.equal(asked, 1);
  assert.equal(share.retry_after_ms(), 250);
  clock.advance(250);
  share.takeBytes(1);
  assert.equal(asked, 2);
  await nextTurn();
});

/** A ledger kept here, seen through a message channel. */
async function throughPort(
  ledger: QuotaLedger,
  clock: ManualClock,
  body: (there: QuotaLedger, stop: () => void, port: MessagePort) => Promise<void>,
): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const stop = serveLedger(port1, ledger);
  try {
    await using there = portLedger(port2, clock);
    await body(there, stop, port2);
  } finally {
    stop();
    port1.close();
    port2.close();
  }
}

Deno.test("port ledger: the same answers as on this side, and all places back when the other side is gone", async () => {
  const clock = new ManualClock();
  const ledger = new LocalLedger(clock);
  await throughPort(ledger, clock, async (there, stop, port) => {
    assert.ok(await there.acquire("a", 2));
    assert.ok(await there.acquire("a", 2));
    assert.ok(!await there.acquire("a", 2));
    assert.ok(!await ledger.acquire("a", 2), "it is one account");
    there.release("a");
    there.release("nobody");
    assert.ok(await there.acquire("a", 2));
    assert.deepEqual(await there.draw("a", 5_000, 1_000), { bytes: 1_000, retry_after_ms: 1_000 });
    port.postMessage({ type: "other", ledger: 5 });
    port.postMessage("noise");
    port.postMessage(undefined);
    stop();
    assert.ok(await ledger.acquire("a", 1), "both places came back");
    assert.equal(clock.pending, 0, "no deadline is left running");
  });
});

Deno.test("port ledger: no answer is a refusal in time, and a place that comes late goes back", async () => {
  const clock = new ManualClock();
  const slow = Promise.withResolvers<boolean>();
  const released = Promise.withResolvers<string>();
  const ledger: QuotaLedger = {
    acquire: () => slow.promise,
    release: released.resolve,
    draw: () => Promise.reject(new Error("gone")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  await throughPort(ledger, clock, async (there) => {
    const place = assert.rejects(there.acquire("a", 1), /no answer in 2000 ms/);
    await assert.rejects(there.draw("a", 1, 1), /not known/);
    clock.advance(2_000);
    await place;
    slow.resolve(true);
    assert.equal(await released.promise, "a");
  });
});

Deno.test("port ledger: questions are bounded", async () => {
  const clock = new ManualClock();
  const ledger = new LocalLedger(clock);
  ledger.acquire = () => new Promise(() => {});
  await throughPort(ledger, clock, async (there) => {
    const asked = Array.from({ length: 1_001 }, () => there.acquire("a", 1).catch((error) => error.message));
    assert.match(await asked[1_000], /too many questions open/);
    clock.advance(2_000);
    assert.match(await asked[0], /no answer/);
    await Promise.all(asked);
  });
});

Deno.test("port ledger: two Workers share one account", async () => {
  const ledger = new LocalLedger(systemClock);
  const source = new URL("./ledger_worker.ts", import.meta.url);
  const workers = [0, 1].map(() => new Worker(source, { type: "module" }));
  const stops: (() => void)[] = [];
  try {
    const counts = await Promise.all(workers.map((worker) => {
      const { port1, port2 } = new MessageChannel();
      stops.push(serveLedger(port1, ledger), () => port1.close());
      return new Promise<number>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data.granted);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage({ port: port2, tries: 50, max: 60 }, [port2]);
      });
    }));
    assert.equal(counts[0] + counts[1], 60);
    assert.ok(!await ledger.acquire("a", 60));
  } finally {
    for (const stop of stops) stop();
    for (const worker of workers) worker.terminate();
  }
  assert.ok(await ledger.acquire("a", 1));
});
