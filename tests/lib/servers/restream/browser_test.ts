/**
 * Web pages in headless Chromium over wss:// with a certificate of the test's own: a page of an allowed origin
 * authenticates by its first message and keeps a right book; pages of other origins, near misses among them, do not get
 * in; without a token a page hears nothing of the market. In one thread and with Workers.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { makeKey } from "../../../../lib/servers/access/api_key.ts";
import { restream } from "../../../../lib/servers/restream/restream.ts";
import { makeCertificate } from "../../../certificate.ts";
import { serviceAddress, serviceTest } from "../../../services.ts";
import { tenantsText } from "../access/tenants_rig.ts";
import { FakeHub } from "../fake_hub.ts";
import { keepBook } from "./browser_page.js";
import { hubBook } from "./test_client.ts";

const TRADES = 20;
const openssl = serviceAddress("openssl");

interface Rig {
  readonly token: string;
  readonly allowed: string;
  readonly other: string;
  /** Trade → the book when it was made. */
  readonly books: ReadonlyMap<number, unknown>;
  /** What the page at `origin` comes to. */
  visit(origin: string, token?: string): ReturnType<typeof keepBook>;
}

/** An empty page, in plain HTTP; its port is part of its origin. */
function servePages(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    return new Response("<title>page</title>", { headers: { "content-type": "text/html" } });
  });
}

async function withBrowser(
  executablePath: string,
  workers: number,
  work: (rig: Rig) => Promise<void>,
): Promise<void> {
  const { chromium } = await import("playwright-core");
  const folder = await Deno.makeTempDir();
  await using pages = servePages();
  await using others = servePages();
  const allowed = `http://127.0.0.1:${pages.addr.port}`;
  await makeCertificate((openssl as { address: string }).address, folder);
  const key = makeKey();
  const tenants_file = `${folder}/tenants.yaml`;
  await Deno.writeTextFile(tenants_file, tenantsText([{ id: "acme", keys: [key] }]), { mode: 0o600 });
  const hub = new FakeHub(systemClock);
  hub.sync("BTCUSDT", [[100.1, 1], [100, 2]], [[100.2, 1.5], [100.3, 3]]);
  const server = await restream.open(
    restream.schema.parse({
      listen: "127.0.0.1:0",
      tls: { cert_file: `${folder}/cert.pem`, key_file: `${folder}/key.pem` },
      access: { tenants_file },
      allowed_origins: [allowed],
      auth_timeout_ms: 1_000,
      edge: { workers },
    }),
    hub,
  );
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--ignore-certificate-errors"],
  });
  const visit = async (origin: string, token?: string) => {
    const page = await browser.newPage();
    await page.goto(origin);
    const wanted = JSON.stringify({ url: server.url, token, protocol: "mdg.v1.json", trades: TRADES });
    const outcome = await page.evaluate(`(${keepBook})(${wanted})`);
    await page.close();
    return outcome as Awaited<ReturnType<typeof keepBook>>;
  };
  // The market moves all the while, so that snapshots and deltas meet.
  let id = 0;
  const books = new Map<number, unknown>();
  const market = systemClock.every(20, () => {
    if (id >= 10_000) return;
    hub.change("BTCUSDT", [[99 - id % 7, id + 1]], [[101 + id % 5, id % 3]], { flush: false });
    books.set(++id, hubBook(hub, "BTCUSDT"));
    hub.trade("BTCUSDT", id);
    hub.flush();
  });
  try {
    const other = `http://127.0.0.1:${others.addr.port}`;
    await work({ token: key.key, allowed, other, books, visit });
  } finally {
    market.cancel();
    await browser.close();
    await server[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
}

for (const workers of [0, 2]) {
  const where = workers === 0 ? "one thread" : `${workers} Workers`;
  serviceTest(
    "chromium",
    `browser, ${where}: allowed pages keep a right book, others do not get in`,
    async (program) => {
      if ("missing" in openssl) return;
      await withBrowser(program, workers, async ({ books, token, allowed, other, visit }) => {
        const served = await visit(allowed, token);
        assert.deepEqual(served.types.slice(0, 2), ["hello", "authenticated"]);
        assert.ok(served.types.includes("delta"), "the market stood still: the test shows nothing");
        const { bids, asks } = served;
        assert.deepEqual({ bids, asks }, books.get(served.trade_id!), "the book when that trade was made");

        for (const origin of [other, allowed.replace("127.0.0.1", "localhost")]) {
          const refused = await visit(origin, token);
          assert.deepEqual([refused.opened, refused.types], [false, []], `a page of ${origin} got in`);
        }
        const silent = await visit(allowed);
        assert.deepEqual([silent.opened, silent.code, silent.types], [true, 4501, ["hello"]]);
        const wrong = await visit(allowed, "mdg_wrong_wrong");
        assert.deepEqual([wrong.code, wrong.types], [4501, ["hello", "error"]]);
      });
    },
  );
}
