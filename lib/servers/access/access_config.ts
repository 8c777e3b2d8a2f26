/** The config section `access` of a server that serves tenants. */
import { z } from "zod";
import { checkRedisAddress, REDIS_ADDRESS } from "../../config/redis_address.ts";
import { jwtSchema } from "./jwt_config.ts";

export const accessSchema = z.strictObject({
  tenants_file: z.string().min(1)
    .describe("Who may connect, with rights and hashed keys; made by `mdg tenant add`, read again on change"),
  check_every_ms: z.int().min(100).max(3_600_000).default(1_000)
    .describe("How often the files are looked at; a revoked key works no longer than that"),
  jwt: jwtSchema.optional().describe("Tokens of another issuer; the tenants they name are those of the file"),
  quotas: z.strictObject({
    redis: z.strictObject(REDIS_ADDRESS).superRefine(checkRedisAddress).optional()
      .describe(
        "Connections and bytes are counted over all nodes that share this Redis; absent: on this node",
      ),
    key_prefix: z.string().min(1).max(200).regex(/^[^{}\s]+$/, "must be without braces and spaces")
      .default("mdg:quota").describe("First part of the keys in Redis"),
  }).prefault({}),
});

export type AccessConfig = z.output<typeof accessSchema>;
