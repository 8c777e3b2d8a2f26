/**
 * The contract of a server: something that listens and hands out what the hub knows.
 */
import type { z } from "zod";
import type { Hub } from "../flow/hub.ts";

export interface Server extends AsyncDisposable {
  readonly name: string;
  /** What was really bound, after port 0 was resolved: "127.0.0.1:8080". */
  readonly address: string;
  /** For people: "ws://127.0.0.1:8080". */
  readonly url: string;
  /** Stops accepting, tells clients, flushes within a deadline, lets go. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a server file exports under its registry name. */
export interface ServerKind<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly schema: Schema;
  /** Rejects with a UserError that names the address and the config key when the port is taken. */
  open(config: z.output<Schema>, hub: Hub): Promise<Server>;
}

export function defineServer<Schema extends z.ZodObject>(kind: ServerKind<Schema>): ServerKind<Schema> {
  return kind;
}
