/** Invented plugin schemas that look like the real ones will, for tests of composition and of the old flat form. */
import { z } from "zod";
import { composeConfigSchema } from "../../../lib/config/compose_schema.ts";
import { readConfig } from "../../../lib/config/load.ts";
import { ConfigError } from "../../../lib/config/problem.ts";
import type { ConfigFormat } from "../../../lib/config/read_source.ts";
import { secret } from "../../../lib/config/secret.ts";
import { SourceText } from "../../../lib/formats/source_text.ts";

export const live = z.object({
  venue: z.enum(["binance-futures", "binance-spot"]),
  symbols: z.array(z.string().regex(/^[A-Z0-9_]+$/, "want upper-case letters, digits and _")).min(1),
  ws_url: z.url().optional(),
  rest_url: z.url().optional(),
  reconnect_delay_ms: z.number().int().min(1).default(1_000),
  max_reconnect_delay_ms: z.number().int().min(1).default(60_000),
  order_book_depth: z.number().int().min(1).default(20),
});
export const redis = z.object({
  url: z.string(),
  password: secret("AUTH password").optional(),
  order_book_depth: z.number().int().min(1).default(20),
  tls: z.object({ verify: z.boolean().default(true), ca: z.string().optional() }).optional(),
  labels: z.record(z.string(), z.string()).default({}),
});
export const health = z.object({ listen: z.string().default("127.0.0.1:9090") });

export const kinds = {
  sources: { live, simulator: z.object({ seed: z.number().int().default(1) }) },
  sinks: { redis, shared_memory: z.object({ name: z.string() }) },
  servers: { health },
};
export const schema = composeConfigSchema(kinds);

export function read(text: string, format: ConfigFormat = "yaml", env: Record<string, string> = {}) {
  return readConfig(schema, new SourceText(`f.${format}`, text), format, env);
}
/** The problems as printed lines, without the file name. */
export function problems(
  text: string,
  format: ConfigFormat = "yaml",
  env: Record<string, string> = {},
): string[] {
  try {
    read(text, format, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((p) => `${p.line}:${p.column} ${p.path ? `${p.path}: ` : ""}${p.message}`);
  }
  return [];
}
