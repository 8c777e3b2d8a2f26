/**
 * The control socket: 0600, inside a folder of 0700, so only the supervisor's own user (and root) can speak to it. Each
 * connection asks once. Refuses more than MAX_CALLERS at once and lines that are too long.
 */
import { type Clock, withDeadline } from "../../base/clock.ts";
import { reasonOf, UserError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import {
  type ControlAnswer,
  type ControlRequest,
  IDLE_LIMIT_MS,
  MAX_CALLERS,
  MAX_LINE_BYTES,
  readLine,
  writeLine,
} from "./protocol.ts";

export interface ControlWorld {
  clock: Clock;
  log: Log;
  answer(request: ControlRequest): Promise<ControlAnswer>;
}

const LAST_ANSWER_LIMIT_MS = 1_000;

export class ControlServer implements AsyncDisposable {
  readonly #listener: Deno.Listener;
  readonly #callers = new Map<Deno.Conn, Promise<void>>();

  /** The lock of the folder is held, so a socket that is there already is a dead supervisor's. */
  constructor(readonly path: string, readonly world: ControlWorld) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    this.#listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o600);
    void this.#accept();
  }
  /** Whoever asked still gets an answer, unless it does not take it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    const { clock } = this.world;
    const all = Promise.all([...this.#callers.values()]);
    await withDeadline(clock, LAST_ANSWER_LIMIT_MS, "answer the last callers", all).catch(() => {});
    for (const caller of this.#callers.keys()) caller.close();
    this.#callers.clear();
  }

  async #accept(): Promise<void> {
    for await (const caller of this.#listener) {
      if (this.#callers.size >= MAX_CALLERS) {
        caller.close();
        continue;
      }
      this.#callers.set(caller, this.#serve(caller));
    }
  }
  async #serve(caller: Deno.Conn): Promise<void> {
    const { clock, log } = this.world;
    try {
      const line = await withDeadline(
        clock,
        IDLE_LIMIT_MS,
        "read a request",
        readLine(caller, MAX_LINE_BYTES),
      );
      if (line !== undefined) await writeLine(caller, await this.#answer(line));
    } catch (error) {
      log.debug("control connection ended", { why: reasonOf(error) });
    } finally {
      if (this.#callers.delete(caller)) caller.close();
    }
  }
  async #answer(line: string): Promise<ControlAnswer> {
    try {
      return await this.world.answer(parseRequest(line));
    } catch (error) {
      if (error instanceof UserError) {
        return { error: { message: error.message, code: error.code, hint: error.hint } };
      }
      this.world.log.error("control request failed", { why: reasonOf(error) });
      return { error: { message: reasonOf(error), code: 1 } };
    }
  }
}

function parseRequest(line: string): ControlRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new UserError("read a request: no JSON, want one object a line", { code: 2 });
  }
  const { ask, names, keep } = Object(value) as Record<string, unknown>;
  switch (ask) {
    case "status":
    case "reload":
      return { ask };
    case "shutdown":
      return { ask, keep: keep === true };
    case "start":
    case "stop":
    case "restart":
    case "signal":
      if (Array.isArray(names) && names.every((name) => typeof name === "string")) return { ask, names };
      throw new UserError("read a request: no names, want a list of texts", { code: 2 });
    default:
      throw new UserError("read a request: unknown, want status, start, stop, restart, reload …", {
        code: 2,
      });
  }
}
