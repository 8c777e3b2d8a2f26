/**
 * One handshake from nothing: name, TCP, TLS, WebSocket upgrade, and how long each step took. A new connection every
 * time, as a client that comes back would have it. Certificates are always checked. Refuses: staying connected.
 */
import { createHash, randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { type Clock, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type ByteStream, openSocket } from "../../wire/open_socket.ts";
import type { Target } from "./target.ts";

/** RFC 6455 §1.3 */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const MAX_ANSWER_BYTES = 16 * 1024;
const WORDS: readonly [RegExp, string][] = [
  [/ECONNREFUSED/, "connection refused"],
  [/ECONNRESET/, "connection reset"],
  [/ENOTFOUND|EAI_/, "no such name"],
  [/EHOSTUNREACH|ENETUNREACH/, "no route to the host"],
  [/no answer within [\d.]+ ms/, "no answer"],
];
/** A masked close frame, code 1000: the server need not wonder. */
const CLOSE_FRAME = new Uint8Array([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** Milliseconds with a fraction; a step that the kind does not have, or that was not reached, is absent. */
export interface Handshake {
  address: string;
  name_ms?: number;
  tcp_ms?: number;
  tls_ms?: number;
  websocket_ms?: number;
  total_ms: number;
}

export interface HandshakeOptions {
  readonly clock: Clock;
  readonly timeout_ms: number;
  /** Beside the built-in authorities, PEM. */
  readonly ca?: string;
  readonly signal: AbortSignal;
}

/** Rejects with the reason in a few words. */
export async function shakeHands(target: Target, options: HandshakeOptions): Promise<Handshake> {
  try {
    return await steps(target, options);
  } catch (error) {
    throw new Error(inFewWords(reasonOf(error)));
  }
}

async function steps(target: Target, options: HandshakeOptions): Promise<Handshake> {
  const { clock, timeout_ms, ca, signal } = options;
  const begin_ms = clock.monotonic_ms();
  const rest_ms = () => Math.max(1, timeout_ms - (clock.monotonic_ms() - begin_ms));
  const { address } = await withDeadline(clock, timeout_ms, "find the name", lookup(target.host));
  const named_ms = clock.monotonic_ms();
  let connected_ms: number | undefined;
  const stream = await openSocket({
    host: address,
    port: target.port,
    tls: target.has_tls ? { ca, name: target.host } : undefined,
    timeout_ms: rest_ms(),
    clock,
    signal,
    connected: () => connected_ms = clock.monotonic_ms(),
  });
  const opened_ms = clock.monotonic_ms();
  const done: Handshake = {
    address,
    name_ms: address === target.host ? undefined : named_ms - begin_ms,
    tcp_ms: (connected_ms ?? opened_ms) - named_ms,
    tls_ms: target.has_tls && connected_ms !== undefined ? opened_ms - connected_ms : undefined,
    total_ms: opened_ms - begin_ms,
  };
  const giveUp = () => stream.close();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    if (target.kind !== "ws") return done;
    await withDeadline(clock, rest_ms(), "upgrade", upgrade(stream, target));
    const end_ms = clock.monotonic_ms();
    await stream.write(CLOSE_FRAME).catch(() => {});
    return { ...done, websocket_ms: end_ms - opened_ms, total_ms: end_ms - begin_ms };
  } finally {
    signal.removeEventListener("abort", giveUp);
    stream.close();
  }
}

/** Resolves when the server has switched protocols, as RFC 6455 §4.2.2 says. */
function upgrade(stream: ByteStream, { host, port, has_tls, path }: Target): Promise<void> {
  const key = randomBytes(16).toString("base64");
  const bare_host = host.includes(":") ? `[${host}]` : host;
  const authority = port === (has_tls ? 443 : 80) ? bare_host : `${bare_host}:${port}`;
  const answer = new Promise<void>((resolve, reject) => {
    let text = "";
    stream.listen((chunk) => {
      text += new TextDecoder("latin1").decode(chunk);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        const why = refusalIn(text.slice(0, end), key);
        return why === undefined ? resolve() : reject(new Error(why));
      }
      if (text.length > MAX_ANSWER_BYTES) reject(new Error("upgrade: an endless answer"));
    }, (reason) => reject(new Error(`upgrade: closed${reason ? `: ${reasonOf(reason)}` : ""}`)));
  });
  const request = [
    `GET ${path} HTTP/1.1`,
    `Host: ${authority}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    "",
    "",
  ];
  // A failed write shows as the stream's end.
  stream.write(new TextEncoder().encode(request.join("\r\n"))).catch(() => {});
  return answer;
}

/** Undefined when it is the answer that was wanted. */
function refusalIn(head: string, key: string): string | undefined {
  const [status, ...lines] = head.split("\r\n");
  const code = /^HTTP\/1\.[01] (\d{3})/.exec(status)?.[1];
  if (code !== "101") return `upgrade: ${code === undefined ? "no HTTP" : `status ${code}`}, want 101`;
  const headers = new Map(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const accept = createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64");
  return headers.get("sec-websocket-accept") === accept ? undefined : "upgrade: a wrong Sec-WebSocket-Accept";
}

/** What the system's own words for it are wrapped in says nothing on a narrow screen. */
function inFewWords(reason: string): string {
  const known = WORDS.find(([form]) => form.test(reason));
  return known?.[1] ?? reason.replace(/^connect to \S+: /, "").replace(/ \(SSL routines.*$/, "");
}
