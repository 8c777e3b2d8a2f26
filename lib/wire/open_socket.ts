/**
 * Opens a TCP or TLS connection within a deadline. TLS always checks the certificate against the host's name and the
 * given or built-in authorities; there is no way to turn that off.
 */
import { type Clock, withDeadline } from "../base/clock.ts";

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** Absent: plain TCP. PEM texts; `ca` beside the built-in authorities, `cert` and `key` to be known by. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly timeout_ms: number;
  readonly clock: Clock;
}

/** Rejects when nobody listens, the certificate does not fit, or the time is over. */
export async function openSocket(options: SocketOptions): Promise<Deno.Conn> {
  const { host: hostname, port, tls, clock } = options;
  let opened: Deno.Conn | undefined;
  let is_late = false;
  const connect = async (): Promise<Deno.Conn> => {
    const connection = tls
      ? await Deno.connectTls({ hostname, port, caCerts: tls.ca ? [tls.ca] : [], ...identityOf(tls) })
      : await Deno.connect({ hostname, port });
    opened = connection;
    if (is_late) connection.close();
    // Else a certificate that does not fit would come up at the first read.
    else if ("handshake" in connection) await connection.handshake();
    return connection;
  };
  const opening = connect();
  try {
    return await withDeadline(clock, options.timeout_ms, `connect to ${hostname}:${port}`, opening);
  } catch (error) {
    is_late = true;
    opening.catch(() => {});
    opened?.close();
    throw error;
  }
}

function identityOf(
  { cert, key }: { cert?: string; key?: string },
): { cert: string; key: string } | undefined {
  return cert !== undefined && key !== undefined ? { cert, key } : undefined;
}
