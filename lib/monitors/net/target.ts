/** Whom to measure: `HOST:PORT`, `tcp://`, `tls://`, `ws://`, `wss://`. What a handshake proves is said with each kind. */
import { quoted, UserError } from "../../base/errors.ts";

/**
 * tcp: the kernel of the other side answers, even while its program is stopped. tls and ws: the program itself answers.
 */
export type HandshakeKind = "tcp" | "tls" | "ws";

export interface Target {
  /** As it was given, without credentials. */
  readonly name: string;
  readonly kind: HandshakeKind;
  readonly has_tls: boolean;
  readonly host: string;
  readonly port: number;
  /** Path and query of a WebSocket. */
  readonly path: string;
}

const DEFAULT_PORTS: Readonly<Record<string, number | undefined>> = { "ws:": 80, "wss:": 443, "tls:": 443 };
const SCHEMES = ["tcp:", "tls:", "ws:", "wss:"];
const WANTED = "want HOST:PORT, tcp://HOST:PORT, tls://HOST, ws://HOST/PATH or wss://HOST/PATH";

/** @throws UserError (exit 2) */
export function readTarget(text: string): Target {
  const refuse = (why: string) => {
    const shown = text.replace(/\/\/[^/@]*@/, "//");
    return new UserError(`measure ${quoted(shown)}: ${why}, ${WANTED}`, { code: 2 });
  };
  let url: URL;
  try {
    // of schemes that URL does not know it keeps the host as it is written
    url = new URL(text.includes("://") ? text : `tcp://${text}`);
  } catch {
    throw refuse("no address");
  }
  const { protocol, hostname, username, password, pathname, search } = url;
  if (!SCHEMES.includes(protocol)) throw refuse(`unknown kind ${quoted(protocol.slice(0, -1))}`);
  if (username !== "" || password !== "") throw refuse("credentials in an address");
  if (hostname === "") throw refuse("no host");
  const port = url.port === "" ? DEFAULT_PORTS[protocol] : Number(url.port);
  if (port === undefined || port === 0) throw refuse("no port");
  const is_websocket = protocol === "ws:" || protocol === "wss:";
  if (!is_websocket && !["", "/"].includes(pathname + search)) throw refuse("a path where none belongs");
  return {
    name: text,
    kind: is_websocket ? "ws" : protocol === "tls:" ? "tls" : "tcp",
    has_tls: protocol === "tls:" || protocol === "wss:",
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    path: is_websocket ? `${pathname || "/"}${search}` : "",
  };
}
