/**
 * Where the broker is and who we are there: addresses tried in turn, TLS files, the login. Knows the secrets, so it also
 * words errors without them.
 */
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type ByteStream, openSocket, type SocketOptions } from "../open_socket.ts";
import type { SessionOptions } from "./session.ts";

export interface BrokerConfig {
  /** rabbitmq-stream://[user[:password]@]host[:port][/vhost], or rabbitmq-stream+tls:// */
  readonly url: string;
  /** Further nodes of the cluster; user, password and vhost are those of `url`. */
  readonly other_urls?: readonly string[];
  readonly password?: string;
  readonly tls?: { readonly ca_file?: string; readonly cert_file?: string; readonly key_file?: string };
  readonly mechanism: "PLAIN" | "EXTERNAL";
  readonly heartbeat_s: number;
  readonly connect_timeout_ms: number;
  readonly request_timeout_ms: number;
}

const TLS_PROTOCOL = "rabbitmq-stream+tls:";
const PORT = 5552;
const TLS_PORT = 5551;

/** True for a URL of this scheme with a host and, at most, a virtual host as its path. */
export function isBrokerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(text);
  try {
    decodeURIComponent(username + password + pathname);
  } catch {
    return false;
  }
  return (protocol === "rabbitmq-stream:" || protocol === TLS_PROTOCOL) && hostname !== "" &&
    !pathname.slice(1).includes("/");
}

export class StreamBroker {
  readonly session: SessionOptions;
  readonly #urls: readonly URL[];
  readonly #secrets: readonly string[];
  #current = 0;

  constructor(readonly config: BrokerConfig, readonly clock: Clock, connection_name: string) {
    this.#urls = [config.url, ...config.other_urls ?? []].map((url) => new URL(url));
    const [first] = this.#urls;
    const password = config.password ?? (decodeURIComponent(first.password) || "guest");
    this.#secrets = [password, first.password].filter((text) => text !== "" && text !== "guest");
    this.session = {
      user: decodeURIComponent(first.username) || "guest",
      password,
      // An absent path and "/" both mean the virtual host "/", as in other stream clients.
      vhost: decodeURIComponent(first.pathname.slice(1)) || "/",
      mechanism: config.mechanism,
      heartbeat_s: config.heartbeat_s,
      request_timeout_ms: config.request_timeout_ms,
      clock,
      connection_name,
      version: "1",
    };
  }
  /** For people: "127.0.0.1:5552". */
  get address(): string {
    const { hostname, port } = this.#socket;
    return `${hostname}:${port}`;
  }
  get #socket(): { hostname: string; port: number; is_tls: boolean } {
    const url = this.#urls[this.#current];
    const is_tls = url.protocol === TLS_PROTOCOL;
    return { hostname: url.hostname, port: Number(url.port || (is_tls ? TLS_PORT : PORT)), is_tls };
  }
  nextAddress(): void {
    this.#current = (this.#current + 1) % this.#urls.length;
  }
  /** A connection to the current address, not yet logged in; `signal` gives the attempt up. */
  async open(signal?: AbortSignal): Promise<ByteStream> {
    const { hostname, port, is_tls } = this.#socket;
    return await openSocket({
      host: hostname.replace(/^\[|\]$/g, ""),
      port,
      tls: is_tls ? await readTls(this.config.tls ?? {}) : undefined,
      timeout_ms: this.config.connect_timeout_ms,
      clock: this.clock,
      signal,
    });
  }
  /** What an error says, without secrets. */
  reason(error: unknown): string {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, "***"), reasonOf(error));
  }
}

/** Read at each attempt, so that a renewed certificate is taken. */
async function readTls(files: NonNullable<BrokerConfig["tls"]>): Promise<NonNullable<SocketOptions["tls"]>> {
  const [ca, cert, key] = await Promise.all(
    [files.ca_file, files.cert_file, files.key_file].map((path) => path && Deno.readTextFile(path)),
  );
  return { ca: ca || undefined, cert: cert || undefined, key: key || undefined };
}
