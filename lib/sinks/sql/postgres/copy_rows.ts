/**
 * COPY … FROM STDIN of rows that are text already, as a query of the `pg` client: its documented `submit` contract with
 * the callbacks of the copy-in protocol. One chunk per COPY: batches are bounded, a stream would only add turns.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
import { Buffer } from "node:buffer";
import type { Client, Connection, Submittable } from "pg";

/** The part of pg's connection that copying uses; its types do not list it. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

class CopyIn implements Submittable {
  readonly done: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor(readonly text: string, readonly rows: Buffer) {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }
  submit(connection: Connection): void {
    (connection as unknown as CopyConnection).query(this.text);
  }
  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.rows);
    connection.endCopyFrom();
  }
  /** The client sends what is queued next only when the server is ready again. */
  handleError(error: unknown): void {
    this.#reject(error);
  }
  handleReadyForQuery(): void {
    this.#resolve();
  }
  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}
}

/** `target` is a table with its column list. Rejects with the server's error; the transaction is then aborted. */
export function copyRows(client: Client, target: string, rows: string): Promise<void> {
  const copy = new CopyIn(`COPY ${target} FROM STDIN`, Buffer.from(rows));
  client.query(copy);
  return copy.done;
}
