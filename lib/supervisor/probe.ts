/**
 * One question to a program: does this port accept, does this URL answer well? Each has a deadline and leaves nothing
 * open. The answer is undefined when all is well, else why not.
 */
import { reasonOf } from "../base/errors.ts";
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

function answers(url: string): Work {
  const controller = new AbortController();
  const result = fetch(url, { signal: controller.signal, redirect: "manual" }).then(async (response) => {
    await response.body?.cancel();
    return response.ok ? undefined : `GET ${url}: answered ${response.status}`;
  });
  // after the deadline nobody listens any more
  result.catch(() => {});
  return { result, stop: () => controller.abort() };
}

export function address(port: number | string): { hostname: string; port: number } {
  if (typeof port === "number") return { hostname: "127.0.0.1", port };
  const at = port.lastIndexOf(":");
  return { hostname: port.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(port.slice(at + 1)) };
}
