/**
 * The client at the public server: TLS by an authority of our own, tokens by header and by first message, a key that is
 * revoked, a server that restarts, and one that drains.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { makeKey, type NewKey } from "../../../lib/servers/access/api_key.ts";
import { restream } from "../../../lib/servers/restream/restream.ts";
import type { Server } from "../../../lib/servers/server.ts";
import { makeCertificate } from "../../certificate.ts";
import { until } from "../../end_to_end/until.ts";
import { inFolder } from "../../in_folder.ts";
import { serviceTest } from "../../services.ts";
import { tenantsText } from "../servers/access/tenants_rig.ts";
import { FakeHub } from "../servers/fake_hub.ts";
import { WatchedClient } from "./scripted_server.ts";

const WISH = { venue: "mock", symbol: "BTCUSDT", channel: "book" } as const;

interface Site {
  hub: FakeHub;
  ca: string;
  key: string;
  open(listen?: string): Promise<Server>;
  write(keys: (NewKey & { revoked?: string })[]): Promise<void>;
  made: NewKey;
}

const secureTest = (name: string, body: (site: Site) => Promise<void>) =>
  serviceTest("openssl", name, (openssl) =>
    inFolder(async (folder) => {
      const ca = await makeCertificate(openssl, folder);
      const hub = new FakeHub(systemClock);
      hub.sync("BTCUSDT", [[100, 1]], [[101, 1]], 1);
      const made = makeKey();
      const tenants_file = `${folder}/tenants.json`;
      const write = (keys: (NewKey & { revoked?: string })[]) =>
        Deno.writeTextFile(tenants_file, tenantsText([{ id: "team", keys }]));
      await write([made]);
      const open = async (listen = "127.0.0.1:0") =>
        await restream.open(
          restream.schema.parse({
            listen,
            tls: { cert_file: `${folder}/cert.pem`, key_file: `${folder}/key.pem` },
            access: { tenants_file, check_every_ms: 100 },
            heartbeat_ms: 200,
          }),
          hub,
        );
      await body({ hub, ca, key: made.key, made, open, write });
    }));

secureTest(
  "a token by header and by message, JSON and binary, over TLS of our own authority",
  async (site) => {
    await using server = await site.open();
    const url = server.url.replace("127.0.0.1", "localhost");
    assert.match(url, /^wss:/);
    for (const token_by of ["header", "message"] as const) {
      for (const binary of [false, true]) {
        using watched = new WatchedClient({ urls: [url], ca: site.ca, token: site.key, token_by, binary });
        watched.client.subscribe(WISH);
        await until(
          "the book",
          () => watched.client.book("mock", "BTCUSDT")?.in_sync,
          5_000,
          () => watched.words,
        );
        site.hub.change("BTCUSDT", [[100, 7]], []);
        await until("the change", () => watched.client.book("mock", "BTCUSDT")!.book!.bids.quantity(0) === 7);
        site.hub.change("BTCUSDT", [[100, 1]], []);
      }
    }
  },
);

secureTest(
  "no token, a wrong one, and an authority we do not know: refused, and not tried for ever",
  async (site) => {
    await using server = await site.open();
    const url = server.url.replace("127.0.0.1", "localhost");
    using wrong = new WatchedClient({ urls: [url], ca: site.ca, token: makeKey().key });
    await wrong.saw("down for good: refused with HTTP status 401");
    using late = new WatchedClient({ urls: [url], ca: site.ca, token: makeKey().key, token_by: "message" });
    await until("the end", () => late.words.some((word) => word.startsWith("down for good: closed: 4501")));
    using none = new WatchedClient({ urls: [url], ca: site.ca });
    await none.saw("down for now: the server wants a token, and there is none");
    using stranger = new WatchedClient({ urls: [url], token: site.key });
    await until("the refusal", () => stranger.words.some((word) => word.includes("certificate")));
    assert.ok(!stranger.words.some((word) => word.startsWith("up")));
  },
);

secureTest("a revoked key ends it for good, unless another can be shown", async (site) => {
  await using server = await site.open();
  const url = server.url.replace("127.0.0.1", "localhost");
  const second = makeKey();
  let shown = site.key;
  using fixed = new WatchedClient({ urls: [url], ca: site.ca, token: site.key });
  using renewing = new WatchedClient({ urls: [url], ca: site.ca, token: () => shown });
  await Promise.all([fixed.saw("up 0"), renewing.saw("up 0")]);
  shown = second.key;
  await site.write([{ ...site.made, revoked: "2026-01-01T00:00:00Z" }, second]);
  await until("the end", () => fixed.words.some((word) => word.startsWith("down for good: closed: 4503")));
  await renewing.saw("up 0");
});

secureTest(
  "a server that drains says when to come back; the next one has another epoch and a fresh book",
  async (site) => {
    const server = await site.open();
    const url = server.url.replace("127.0.0.1", "localhost");
    using watched = new WatchedClient({ urls: [url], ca: site.ca, token: site.key });
    watched.client.subscribe(WISH);
    await until("the book", () => watched.client.book("mock", "BTCUSDT")?.in_sync);
    await server[Symbol.asyncDispose]();
    await watched.saw("notice shutdown");
    await until("the end", () => watched.words.some((word) => word.startsWith("down for now")));
    assert.equal(watched.client.book("mock", "BTCUSDT")!.in_sync, false);
    site.hub.sync("BTCUSDT", [[90, 1]], [[91, 1]], 500);
    await using _next = await site.open(new URL(server.url).host);
    await until(
      "the book",
      () => watched.client.book("mock", "BTCUSDT")!.in_sync,
      20_000,
      () => watched.words,
    );
    assert.equal(watched.client.book("mock", "BTCUSDT")!.book!.best_bid, 90);
  },
);
