/**
 * Opens a TCP or TLS connection within a deadline. TLS always checks the certificate against the host's name and the
 * given or built-in authorities; there is no way to turn that off. Node's sockets, because closing one of Deno's own
 * leaves its pending read waiting, and the descriptor with it (2.8.3).
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, rootCertificates } from "node:tls";
import { type Clock, type Timer } from "../base/clock.ts";

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** Absent: plain TCP. PEM texts; `ca` beside the built-in authorities, `cert` and `key` to be known by. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    /** Whom the certificate must name, where that is not `host`. */
    readonly name?: string;
  };
  readonly timeout_ms: number;
  readonly clock: Clock;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
  /** TCP stands; TLS, where wanted, begins. */
  readonly connected?: () => void;
}

/** A connection as protocols see it. */
export interface ByteStream {
  /** Once, right after opening. A chunk is the listener's own; `onEnd` comes once, with the reason where there is one. */
  listen(onData: (chunk: Uint8Array<ArrayBuffer>) => void, onEnd: (reason: Error | undefined) => void): void;
  /** Resolves when the system has taken the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** At once; what is under way is lost. */
  close(): void;
}

/** Rejects when nobody listens, the certificate does not fit, or the time is over. */
export async function openSocket(options: SocketOptions): Promise<ByteStream> {
  const { host, port, tls, timeout_ms, clock, signal, connected } = options;
  const name = tls?.name ?? host;
  const socket = tls
    ? connectTls({
      host,
      port,
      servername: /^[\d.]+$|:/.test(name) ? "" : name,
      ca: tls.ca === undefined ? undefined : [...rootCertificates, tls.ca],
      cert: tls.cert,
      key: tls.key,
    })
    : connectTcp({ host, port });
  const opened = Promise.withResolvers<void>();
  const timer: Timer = clock.after(
    timeout_ms,
    () => opened.reject(new Error(`no answer within ${timeout_ms} ms`)),
  );
  const giveUp = () => opened.reject(new Error("given up"));
  if (signal?.aborted) giveUp();
  signal?.addEventListener("abort", giveUp, { once: true });
  socket.once("error", opened.reject);
  if (connected) socket.once("connect", connected);
  socket.once(tls ? "secureConnect" : "connect", () => opened.resolve());
  try {
    await opened.promise;
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw new Error(`connect to ${host}:${port}: ${error instanceof Error ? error.message : error}`);
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", giveUp);
    socket.off("error", opened.reject);
  }
  socket.setNoDelay(true);
  return streamOf(socket);
}

function streamOf(socket: Socket): ByteStream {
  let error: Error | undefined;
  socket.on("error", (one) => error = one);
  return {
    listen(onData, onEnd) {
      socket.on("data", (chunk: Uint8Array<ArrayBuffer>) => onData(chunk));
      socket.once("end", () => socket.destroy());
      socket.once("close", () => onEnd(error));
    },
    write(bytes) {
      return new Promise((resolve, reject) => {
        socket.write(bytes, (failed) => failed ? reject(failed) : resolve());
      });
    },
    close: () => void socket.destroy(),
  };
}
