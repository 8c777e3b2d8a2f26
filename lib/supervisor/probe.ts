/**
 * One question to a program: does this port accept, does this URL answer well? Each has a deadline and leaves nothing
 * open. The answer is undefined when all is well, else why not.
 */
import { reasonOf } from "../base/errors.ts";
import { readLine } from "./control/protocol.ts";
import { type Clock, withDeadline } from "../base/clock.ts";

export interface ProbeTarget {
  /** A port of this machine, or HOST:PORT. */
  port?: number | string;
  http?: string;
}

export type Probe = (target: ProbeTarget, timeout_ms: number, clock: Clock) => Promise<string | undefined>;

export const probe: Probe = async (target, timeout_ms, clock) => {
  const work = target.http === undefined ? connects(target.port!) : answers(target.http);
  try {
    return await withDeadline(clock, timeout_ms, targetText(target), work.result);
  } catch (error) {
    return reasonOf(error);
  } finally {
    work.stop();
  }
};

export function targetText({ port, http }: ProbeTarget): string {
  if (http !== undefined) return `GET ${http}`;
  const { hostname, port: number } = address(port!);
  return `port ${hostname}:${number}`;
}

/** The kernel's buffer may bring more with the first line. */
const MAX_STATUS_LINE_BYTES = 65_536;

interface Work {
  result: Promise<string | undefined>;
  stop(): void;
}

function connects(port: number | string): Work {
  let stopped = false;
  const opened = Deno.connect(address(port)).then((connection) => {
    connection.close();
    return undefined;
  }, (error) => stopped ? undefined : `${targetText({ port })}: ${reasonOf(error)}`);
  return { result: opened, stop: () => stopped = true };
}

/** Written by hand: fetch would ask the proxy of the environment for a program of this machine. */
function answers(url: string): Work {
  const { hostname, port, protocol, pathname, search, host } = new URL(url);
  const is_tls = protocol === "https:";
  const to = { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (is_tls ? 443 : 80)) };
  let connection: Deno.Conn | undefined;
  let stopped = false;
  const close = () => {
    connection?.close();
    connection = undefined;
  };
  const ask = async () => {
    const opened = await (is_tls ? Deno.connectTls(to) : Deno.connect(to));
    if (stopped) return opened.close();
    connection = opened;
    const head = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const bytes = new TextEncoder().encode(head);
    for (let done = 0; done < bytes.length;) done += await opened.write(bytes.subarray(done));
    const line = await readLine(opened, MAX_STATUS_LINE_BYTES);
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(line ?? "")?.[1];
    return status?.startsWith("2") ? undefined : `GET ${url}: answered ${status ?? "no HTTP"}`;
  };
  const result = ask().catch((error) => stopped ? undefined : `GET ${url}: ${reasonOf(error)}`);
  return {
    result: result.then((fault) => fault ?? undefined),
    stop: () => {
      stopped = true;
      close();
    },
  };
}

export function address(port: number | string): { hostname: string; port: number } {
  if (typeof port === "number") return { hostname: "127.0.0.1", port };
  const at = port.lastIndexOf(":");
  return { hostname: port.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(port.slice(at + 1)) };
}
