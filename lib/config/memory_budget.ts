/**
 * The config key `memory`: what the process may use, as "60%" of what it could have, as "512MiB", or as bytes. Reading
 * is here, asking the machine is not.
 */
import { z } from "zod";

export type MemoryBudget = { readonly share: number } | { readonly bytes: number };

/** mdg takes about 110 MiB before anything is connected. */
const MIN_BYTES = 128 * 1024 * 1024;
const MAX_BYTES = 2 ** 50;
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Undefined where it is neither a share nor an amount within bounds. */
export function readBudget(value: string | number): MemoryBudget | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(%|[KMGT]i?B|B)?$/.exec(String(value));
  if (!match) return undefined;
  const [, digits, unit = ""] = match;
  if (unit === "%") {
    const share = Number(digits) / 100;
    return share >= 0.05 && share <= 0.95 ? { share } : undefined;
  }
  const bytes = Math.floor(Number(digits) * UNITS[unit]);
  return bytes >= MIN_BYTES && bytes <= MAX_BYTES ? { bytes } : undefined;
}

export const memorySchema = z.strictObject({
  budget: z.union([z.string(), z.number()]).default("60%")
    .refine((value) => readBudget(value) !== undefined, {
      error: 'want "5%" to "95%", or at least 128 MiB as "512MiB", "2GB" or a number of bytes',
    })
    .meta({
      description:
        "Memory the process may use: a share of the control group's limit or the machine's memory (\"60%\"), or an " +
        'amount ("512MiB"). From 70 % of it newcomers are refused and everything is conflated, from 80 % clients ' +
        "are evicted, from 95 % sources pause",
    }),
  sample_interval_ms: z.int().min(10).max(10_000).default(100)
    .meta({ description: "How often memory is looked at; also whenever much was queued" }),
}).prefault({}).meta({ description: "One budget for all clients together" });

export type MemoryConfig = z.output<typeof memorySchema>;
