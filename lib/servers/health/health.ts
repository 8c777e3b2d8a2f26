/**
 * The health server: /health (the process lives), /ready (every configured book is live and in sequence, every part is
 * fine), /metrics (Prometheus), and the market's questions (market_routes.ts, /openapi.json). Answers are the old service's, byte for byte where consumers parse them. Read only
 * unless a control token is configured, so it may stay reachable for probes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { reasonOf } from "../../base/errors.ts";
import { secret } from "../../config/secret.ts";
import type { Hub } from "../../flow/hub.ts";
import { MarketQueries, QueryError } from "../../flow/market_queries.ts";
import { listenSchema, openListener } from "../listen.ts";
import { defineServer, type Server } from "../server.ts";
import { changeSubscriptions, Refusal, requireToken } from "./control.ts";
import { Exposition } from "./exposition.ts";
import { answerMarket, MARKET_PATHS, marketPathOf, QUERY_STATUS } from "./market_routes.ts";
import { openApiDocument } from "./openapi.ts";
import { processMetrics } from "./process_metrics.ts";
import { isKickPath, kickClient, listClients, listCloses, listUpstreams } from "./sessions.ts";

const JSON_TYPE = "application/json; charset=utf-8";
const MAX_REASONS = 100;
const KICK_ROUTE = "/clients/{id}/kick";

interface Answer {
  status: number;
  type: string;
  body: string;
  headers?: Record<string, string>;
}
type Work = (request: IncomingMessage) => Answer | Promise<Answer>;
interface Route {
  get?: Work;
  post?: Work;
}

export const health = defineServer({
  name: "health",
  summary: "Health, readiness and Prometheus metrics over HTTP",
  schema: z.object({
    listen: listenSchema("127.0.0.1:9090"),
    max_connections: z.int().min(1).max(10_000).default(64)
      .describe("Connections beyond this are refused at once"),
    control_token: secret(
      "turns on /subscriptions, /clients, /closes and /upstreams, and is asked for by them",
    ).optional(),
  }),
  async open(config, hub): Promise<Server> {
    const listener = await openListener({ ...config, flag: "--health-listen" });
    const measuring = processMetrics(hub.metrics, hub.clock, hub.version);
    const routes = routesOf(hub, new Exposition(hub.metrics, hub.log), config.control_token);
    listener.server.on("request", (request, response) => {
      answer(routes, request, response).catch((error) => {
        hub.log.error(`answer ${request.method} ${request.url}: ${reasonOf(error)}`);
        if (response.headersSent) response.destroy();
        else {send(
            request,
            response,
            problem(500, "internal_error", "answer the request: it failed, see the log"),
          );}
      });
    });
    return {
      name: "health",
      address: listener.address,
      url: `http://${listener.address}`,
      async [Symbol.asyncDispose]() {
        measuring[Symbol.dispose]();
        await listener.close();
      },
    };
  },
});

function routesOf(hub: Hub, exposition: Exposition, token: string | undefined): Map<string, Route> {
  const routes = new Map<string, Route>([
    ["/health", {
      get: () => json(200, { status: "healthy", service: "market-data", version: hub.version }),
    }],
    ["/ready", { get: () => readiness(hub) }],
    ["/metrics", {
      get: async () => ({ status: 200, type: exposition.content_type, body: await exposition.render() }),
    }],
  ]);
  routes.set("/instruments", { get: () => json(200, instrumentsOf(hub)) });
  routes.set("/openapi.json", { get: () => json(200, openApiDocument(hub.version)) });
  const queries = new MarketQueries(hub);
  for (const path of MARKET_PATHS) {
    routes.set(path, {
      get: (request) => ({ status: 200, type: JSON_TYPE, body: answerMarket(queries, request.url!) }),
    });
  }
  if (token !== undefined) addControl(routes, hub, token);
  return routes;
}

/** What is only for the operator. */
function addControl(routes: Map<string, Route>, hub: Hub, token: string): void {
  const guarded = (what: string, work: Work): Work => (request) => {
    requireToken(request, token, what);
    return work(request);
  };
  const { subscriptions, sessions } = hub;
  if (subscriptions) {
    routes.set("/subscriptions", {
      get: guarded("list subscriptions", () => json(200, subscriptions.list())),
      post: guarded(
        "change subscriptions",
        async (request) => json(200, await changeSubscriptions(request, subscriptions, hub.clock)),
      ),
    });
  }
  if (!sessions) return;
  const text = (body: string): Answer => ({ status: 200, type: JSON_TYPE, body });
  routes.set("/clients", {
    get: guarded("list clients", async (request) => text(await listClients(request, sessions, hub))),
  });
  routes.set("/closes", {
    get: guarded("list closes", (request) => text(listCloses(request, sessions))),
  });
  routes.set("/upstreams", { get: guarded("list upstreams", () => text(listUpstreams(sessions))) });
  routes.set(KICK_ROUTE, {
    post: guarded("kick a client", async (request) => text(await kickClient(pathOf(request), sessions))),
  });
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0];
}

/** Every configured instrument with what its venue says of it; what is not known is absent. */
function instrumentsOf(hub: Hub): Record<string, unknown>[] {
  return [...hub.books()].map(({ venue, symbol }) => ({
    venue,
    symbol,
    ...hub.instrumentInfo?.(venue, symbol),
  }));
}

function readiness(hub: Hub): Answer {
  const { ready, reasons } = hub.readiness();
  if (ready) return json(200, { ready: true, reasons: [] });
  const shown = reasons.slice(0, MAX_REASONS);
  const omitted = reasons.length - shown.length;
  return json(503, { ready: false, reasons: shown, ...(omitted > 0 ? { reasons_omitted: omitted } : {}) });
}

async function answer(
  routes: Map<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = pathOf(request);
  const route = routes.get(isKickPath(path) ? KICK_ROUTE : marketPathOf(path) ?? path);
  if (!route) {
    const paths = [...routes.keys()];
    const shown = JSON.stringify(path.slice(0, 80));
    return send(
      request,
      response,
      problem(404, "not_found", `find ${shown}: no such path, want one of ${paths.join(", ")}`, { paths }),
    );
  }
  const work = request.method === "POST" ? route.post : isReading(request) ? route.get : undefined;
  if (!work) {
    const methods = [...(route.get ? ["GET", "HEAD"] : []), ...(route.post ? ["POST"] : [])];
    const allow = methods.join(", ");
    const want = allow.replace(/, (?=[A-Z]+$)/, " or ");
    const message = `answer ${request.method} ${path}: ${route.post ? "" : "read only, "}want ${want}`;
    const refusal = problem(405, "method_not_allowed", message);
    return send(request, response, { ...refusal, headers: { allow, connection: "close" } });
  }
  try {
    send(request, response, await work(request));
  } catch (error) {
    if (error instanceof QueryError) {
      return send(request, response, problem(QUERY_STATUS[error.code], error.code, error.message));
    }
    if (!(error instanceof Refusal)) throw error;
    const refusal = problem(error.status, error.code, error.message);
    // What is left of a refused body is not read.
    send(request, response, { ...refusal, headers: { connection: "close" } });
  }
}

function isReading(request: IncomingMessage): boolean {
  return request.method === "GET" || request.method === "HEAD";
}

function json(status: number, value: unknown): Answer {
  return { status, type: JSON_TYPE, body: JSON.stringify(value) };
}

function problem(status: number, code: string, message: string, more: Record<string, unknown> = {}): Answer {
  return json(status, { error: { code, message }, ...more });
}

function send(request: IncomingMessage, response: ServerResponse, reply: Answer): void {
  const bytes = new TextEncoder().encode(reply.body);
  response.writeHead(reply.status, {
    "content-type": reply.type,
    "content-length": bytes.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...reply.headers,
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
}
