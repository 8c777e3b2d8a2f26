/**
 * Why and when the process should end, as a value that main.ts drives from signals and tests drive by hand.
 * Ctrl-C drains and ends with 130, a second one ends at once; SIGTERM drains and ends with 0; a broken pipe ends
 * quietly with 0; SIGHUP calls whoever registered. A command that fails while draining still fails.
 */
import type { ExitCode } from "./command.ts";

export type StopReason = "interrupt" | "terminate" | "broken_pipe";

/** Ctrl-C as a typed key: a terminal that shows nothing sends no signal. */
export class TypedInterrupt extends Error {
  override readonly name = "TypedInterrupt";
}

export class Lifecycle {
  /** The first reason to stop; later ones do not change it. */
  reason: StopReason | undefined;
  readonly #controller = new AbortController();
  readonly #loans = new Set<object>();
  readonly #reload = new Set<() => void>();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** False when it was already stopping. */
  stop(reason: StopReason): boolean {
    if (this.reason !== undefined) return false;
    this.reason = reason;
    this.#controller.abort(new DOMException(`stopped by ${reason}`, "AbortError"));
    return true;
  }

  /** While a child has the terminal, Ctrl-C reaches both processes and is meant for the child. */
  lendTerminal(): () => void {
    const loan = {};
    this.#loans.add(loan);
    return () => void this.#loans.delete(loan);
  }

  /** Ctrl-C. True: exit at once with 130, this is the second wish to stop. */
  interrupt(): boolean {
    return this.#loans.size === 0 && !this.stop("interrupt");
  }

  /** SIGHUP. Returns how many listened. */
  reload(): number {
    for (const callback of [...this.#reload]) callback();
    return this.#reload.size;
  }

  onReload(callback: () => void): () => void {
    this.#reload.add(callback);
    return () => void this.#reload.delete(callback);
  }

  /** The process's exit code for a command that returned `code`. */
  exitCode(code: ExitCode): ExitCode {
    switch (this.reason) {
      case "interrupt":
        return 130;
      case "terminate":
        return code === 130 ? 0 : code;
      case "broken_pipe":
        return 0;
      case undefined:
        return code;
    }
  }
}
