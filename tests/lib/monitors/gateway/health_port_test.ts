/** The health port as it answers, and as it does not: one line each, never a stack, the token only where it belongs. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../../../lib/base/clock.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { HealthPort } from "../../../../lib/monitors/gateway/health_port.ts";

const never = new AbortController().signal;
type Pages = Record<string, (request: IncomingMessage, response: ServerResponse) => void>;

const BUILD = 'mdg_build_info{version="1.2.3",deno="2.8.3"} 1\n';
const GATEWAY: Pages = {
  "/metrics": (_, response) => response.end(BUILD),
  "/ready": (_, response) =>
    response.writeHead(503).end('{"ready":false,"reasons":["kraken A: book not in sync"]}'),
  "/health": (_, response) => response.end('{"status":"healthy","version":"1.2.3"}'),
};

async function serving(pages: Pages, body: (address: string, asked: IncomingMessage[]) => Promise<void>) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    const page = pages[request.url ?? ""];
    if (page) page(request, response);
    else response.writeHead(404).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body(`127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function port(url: string, token?: string, timeout_ms = 5_000): HealthPort {
  return new HealthPort({ url, clock: systemClock, timeout_ms, token });
}

Deno.test("a gateway: readiness with its reasons, version, metrics; without a token nobody is asked for more", async () => {
  await serving(GATEWAY, async (address, asked) => {
    const { ready, reasons, version, page, clients } = await port(address).look(never);
    assert.deepEqual([ready, reasons, version, clients], [
      false,
      ["kraken A: book not in sync"],
      "1.2.3",
      undefined,
    ]);
    assert.equal(page.value("mdg_build_info"), 1);
    assert.deepEqual(asked.map(({ url }) => url).sort(), ["/health", "/metrics", "/ready"]);
    assert.ok(asked.every(({ headers }) => headers.authorization === undefined));
  });
});

Deno.test("the token goes to the pages that want one, and to no other", async () => {
  const pages: Pages = { ...GATEWAY, "/clients?limit=200": (_, response) => response.end('[{"id":1}]') };
  await serving(pages, async (address, asked) => {
    const { clients, upstreams } = await port(address, "s3cr3t").look(never);
    assert.deepEqual([clients, upstreams], [[{ id: 1 }], undefined]);
    const told = asked.filter(({ headers }) => headers.authorization === "Bearer s3cr3t").map(({ url }) =>
      url
    );
    assert.deepEqual(told.sort(), ["/clients?limit=200", "/upstreams"]);
  });
  const refusing: Pages = {
    ...GATEWAY,
    "/clients?limit=200": (_, response) => response.writeHead(401).end(),
  };
  await serving(refusing, async (address) => {
    await assert.rejects(port(address, "wrong").look(never), {
      message: "/clients?limit=200: the token is not taken",
    });
  });
});

Deno.test("nobody there, somebody else, silence, a redirect", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const silent = `127.0.0.1:${listener.addr.port}`;
  await assert.rejects(port(silent, undefined, 100).look(never), {
    message: "no answer within 100 ms",
  });
  listener.close();
  await assert.rejects(port(silent).look(never), {
    message: "connection refused",
  });
  const says = async (pages: Pages, message: RegExp) =>
    await serving(pages, async (address) => await assert.rejects(port(address).look(never), { message }));
  await says({ ...GATEWAY, "/metrics": (_, response) => response.end("up 1\n") }, /no mdg answers there/);
  await says({}, /\/metrics: status 404, want 200/);
  await says(
    {
      ...GATEWAY,
      "/ready": (_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    },
    /redirect/i,
  );
});

Deno.test("a gateway whose clock differs is judged by its own", async () => {
  const off_s = -3_600;
  const pages: Pages = {
    ...GATEWAY,
    "/metrics": (_, response) => {
      response.setHeader("date", new Date(systemClock.now_ms() + off_s * 1_000).toUTCString());
      response.end(BUILD);
    },
  };
  await serving(pages, async (address) => {
    const { gateway_ms } = await port(address).look(never);
    const difference_s = (gateway_ms - systemClock.now_ms()) / 1_000;
    assert.ok(Math.abs(difference_s - off_s) < 60, `${difference_s}`);
  });
});

Deno.test("addresses: a port, a host and port, a URL; nothing else", () => {
  assert.equal(port("9090").url, "http://127.0.0.1:9090");
  assert.equal(port("gw:1").url, "http://gw:1");
  assert.equal(port("https://gw/mdg/").url, "https://gw/mdg");
  for (const text of ["", "ftp://gw", "http://me:pw@gw:1", "http://gw:1/?token=x", "gw:port"]) {
    assert.throws(() => port(text), (error) => error instanceof UserError && error.code === 2, text);
  }
});
