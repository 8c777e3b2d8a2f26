/** The top-level keys that belong to no plugin; both config forms take them. */
import { z } from "zod";
import { memorySchema } from "./memory_budget.ts";

/** The highest number that the kernel's CPU sets hold. */
const MAX_CPU = 1_023;

export const generalKeys = {
  name: z.string().min(1).max(64).optional()
    .meta({ description: "What this gateway calls itself in logs, metrics and client names" }),
  log_level: z.enum(["trace", "debug", "info", "warn", "error"]).optional()
    .meta({ description: "Least level that is logged; the --log-level flag wins" }),
  drain_timeout_ms: z.number().int().min(0).max(600_000).default(5_000)
    .meta({ description: "How long a shutdown may take to hand on what is queued, milliseconds" }),
  cpu: z.union([z.int().min(0).max(MAX_CPU), z.array(z.int().min(0).max(MAX_CPU)).min(1).max(MAX_CPU)])
    .optional()
    .meta({ description: "CPU, or list of CPUs, that the process's threads are pinned to; Linux only" }),
  memory: memorySchema,
  encryption: z.strictObject({
    identity_file: z.string().min(1).optional()
      .meta({
        description: "age identity file (mode 0600) that opens ENC[age,…] values; from this file's folder",
      }),
    recipients: z.array(z.string().min(1)).max(64).optional()
      .meta({ description: "age recipients that `mdg encrypt file` and `mdg rekey` encrypt for" }),
  }).optional().meta({ description: "Keys of the encrypted values of this file" }),
};
