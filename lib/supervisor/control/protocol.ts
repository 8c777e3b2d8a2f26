/**
 * What is said over the control socket: one JSON line asks, one JSON line answers. Bounds: 64 KiB a line, 16 callers at
 * once, a caller that says nothing is cut.
 */
import type { ReloadReport } from "../supervisor.ts";
import type { AppStatus, SupervisorStatus } from "../status.ts";

export type ControlRequest =
  | { ask: "status" }
  | { ask: "start" | "stop" | "restart" | "signal"; names: string[] }
  | { ask: "reload" }
  | { ask: "shutdown"; keep: boolean };

export interface ControlAnswer {
  error?: { message: string; code: 1 | 2; hint?: string };
  status?: SupervisorStatus;
  /** The apps that were asked about, as they are now. */
  apps?: AppStatus[];
  reload?: ReloadReport;
}

export const MAX_LINE_BYTES = 65_536;
export const MAX_ANSWER_BYTES = 16 * 1_048_576;
export const MAX_CALLERS = 16;
export const IDLE_LIMIT_MS = 5_000;

/** The first line of a stream, without its line feed; undefined when the stream ends before it. */
export async function readLine(from: Deno.Conn, max_bytes: number): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (let total = 0; total <= max_bytes;) {
    const count = await from.read(buffer);
    if (count === null) return undefined;
    const end = buffer.subarray(0, count).indexOf(10);
    parts.push(buffer.slice(0, end < 0 ? count : end));
    total += count;
    if (end >= 0) return new TextDecoder().decode(await new Blob(parts as BlobPart[]).arrayBuffer());
  }
  throw new Error(`read a line: longer than ${max_bytes} bytes, want less`);
}

export async function writeLine(to: Deno.Conn, value: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(value) + "\n");
  for (let done = 0; done < bytes.length;) done += await to.write(bytes.subarray(done));
}
