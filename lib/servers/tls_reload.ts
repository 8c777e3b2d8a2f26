/**
 * The certificate of a public server and its key: from files, looked at again while it runs, or inline. A new pair is
 * checked whole before it is used; one that does not fit, or is half written, leaves the old one in force and is told.
 * Connections that are open keep what they were opened with. A runtime that cannot swap certificates says so once.
 */
import { X509Certificate } from "node:crypto";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { MetricFamily, Metrics, MetricValue } from "../base/metrics.ts";
import { secret } from "../config/secret.ts";
import { checkTls, MIN_TLS_VERSION, type TlsPair } from "./check_tls.ts";
import { FileWatch, readFiles, type WatchedFile } from "./watch_files.ts";

/** Chains of a few certificates are some kilobytes. */
const MAX_PEM_BYTES = 1_048_576;

export const tlsSchema = z.strictObject({
  cert_file: z.string().min(1).optional()
    .describe("PEM file: the server's certificate, then the chain; read again on change"),
  key_file: z.string().min(1).optional().describe("PEM file: its private key"),
  cert: z.string().min(1).optional().describe("Instead of files: the PEM text"),
  key: secret("Instead of files: the private key, PEM text").optional(),
  check_every_ms: z.int().min(100).max(3_600_000).default(1_000).describe(
    "How often the files are looked at",
  ),
}).superRefine(({ cert_file, key_file, cert, key }, context) => {
  const files = cert_file !== undefined && key_file !== undefined;
  const inline = cert !== undefined && key !== undefined;
  const given = [cert_file, key_file, cert, key].filter((one) => one !== undefined).length;
  if ((files || inline) && given === 2) return;
  context.addIssue({ code: "custom", message: "must have cert_file and key_file, or cert and key" });
});

export type TlsConfig = z.output<typeof tlsSchema>;

export interface TlsContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Label of the metrics. */
  readonly server: string;
  readonly cwd?: string;
}

/** What of an https.Server is needed; absent on runtimes that cannot do it. */
interface TlsServer {
  setSecureContext?(options: TlsPair & { minVersion: typeof MIN_TLS_VERSION }): void;
}

/** @throws UserError (exit 2) for a pair that can't be read or does not fit */
export async function openTls(config: TlsConfig, context: TlsContext): Promise<TlsReload> {
  const { cert_file, key_file, cert, key, check_every_ms } = config;
  if (cert !== undefined && key !== undefined) return new TlsReload({ cert, key }, context);
  const cwd = context.cwd ?? Deno.cwd();
  const file = (path: string, what: string): WatchedFile => {
    return { path: isAbsolute(path) ? path : join(cwd, path), max_bytes: MAX_PEM_BYTES, what };
  };
  const files = [file(cert_file!, "TLS certificate"), file(key_file!, "TLS private key")];
  const texts = await readFiles(files);
  return new TlsReload({ cert: texts[0], key: texts[1] }, context, { files, texts, check_every_ms });
}

export class TlsReload implements AsyncDisposable {
  readonly #servers = new Set<TlsServer>();
  readonly #watch: FileWatch | undefined;
  readonly #reloads: MetricFamily<MetricValue>;
  readonly #expires: MetricValue;
  #pair: TlsPair;
  #told_unable = false;

  /** @throws UserError */
  constructor(
    pair: TlsPair,
    readonly context: TlsContext,
    watched?: { files: readonly WatchedFile[]; texts: readonly string[]; check_every_ms: number },
  ) {
    const { clock, metrics, server } = context;
    checkTls(pair);
    this.#pair = pair;
    this.#reloads = metrics.counter(
      "tls_certificate_reloads_total",
      "Changes of the certificate or its key while running",
      ["server", "result"],
    );
    this.#expires = metrics.gauge(
      "tls_certificate_expires_timestamp_seconds",
      "When the certificate in use ends, Unix epoch",
      ["server"],
    ).with(server);
    this.#sayWhenItEnds();
    this.#watch = watched && new FileWatch(watched.files, watched.texts, {
      clock,
      period_ms: watched.check_every_ms,
      onChange: ([cert, key]) => this.replace({ cert, key }),
      onUnreadable: (reason) => this.#keepOld(reason),
    });
  }
  /** What new listeners are to use. */
  get pair(): TlsPair {
    return this.#pair;
  }
  /** The server follows from now on, until the returned function is called. Its own pair must be `pair`. */
  follow(server: TlsServer): () => void {
    this.#servers.add(server);
    return () => this.#servers.delete(server);
  }
  /** Puts another pair in force, if it is one. */
  replace(pair: TlsPair): void {
    try {
      checkTls(pair);
      const unable = [...this.#servers].some((server) => server.setSecureContext === undefined);
      if (unable) return this.#sayUnable();
      // All or none: what one server refuses none gets. They are of one runtime, so the first one tells.
      for (const server of this.#servers) server.setSecureContext!({ ...pair, minVersion: MIN_TLS_VERSION });
      this.#pair = pair;
      this.#count("ok");
      this.#sayWhenItEnds();
      this.context.log.info("TLS certificate replaced", { server: this.context.server });
    } catch (error) {
      this.#keepOld(reasonOf(error));
    }
  }
  /** Looks at the files now, as on SIGHUP. */
  async reload(): Promise<void> {
    await this.#watch?.check();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#servers.clear();
    await this.#watch?.[Symbol.asyncDispose]();
  }

  #sayWhenItEnds(): void {
    const { clock, log, server } = this.context;
    const until_ms = Date.parse(new X509Certificate(this.#pair.cert).validTo);
    this.#expires.value = until_ms / 1000;
    if (until_ms <= clock.now_ms()) log.warn("the TLS certificate has expired, want a new one", { server });
  }
  #sayUnable(): void {
    this.#count("unable");
    if (this.#told_unable) return;
    this.#told_unable = true;
    this.context.log.warn("this runtime cannot swap TLS certificates: the new one takes a restart", {
      server: this.context.server,
    });
  }
  #keepOld(reason: string): void {
    this.#count("failed");
    const { log, server } = this.context;
    log.error("TLS certificate not replaced: the old one stays in force", { server, reason });
  }
  #count(result: "ok" | "failed" | "unable"): void {
    this.#reloads.with(this.context.server, result).value++;
  }
}
