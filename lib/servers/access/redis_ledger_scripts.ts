/**
 * The scripts of the Redis ledger. Each touches one key, whose name holds the tenant in braces, so a Cluster runs them where
 * the key lives. Times are Redis's own, so the clocks of the nodes do not matter. Needs Redis 5 or later.
 */
import { createHash } from "node:crypto";

export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

const script = (text: string): RedisScript => ({ text, sha1: createHash("sha1").update(text).digest("hex") });

const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * A hash of node → "places until". ARGV: node, places it holds, places it wants, limit, how long its word is good.
 * Returns how many it may hold: never fewer than it does, never more than the others leave of the limit.
 */
export const HOLD = script(`${NOW}
local node, held, wanted, max, ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local others = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] ~= node then
    local places, till = string.match(all[i + 1], '^(%d+) (%d+)$')
    if till == nil or tonumber(till) <= now then redis.call('HDEL', KEYS[1], all[i])
    else others = others + tonumber(places) end
  end
end
local granted = math.max(held, math.min(wanted, max - others))
if granted > 0 then
  redis.call('HSET', KEYS[1], node, string.format('%.0f %.0f', granted, now + ttl))
  redis.call('PEXPIRE', KEYS[1], ttl)
else redis.call('HDEL', KEYS[1], node) end
return {granted, others}
`);

/**
 * A bucket that fills by a second's worth a second. ARGV: bytes wanted, bytes per second. Returns bytes given (whole,
 * never more than are there) and milliseconds until the rest could be.
 */
export const DRAW = script(`${NOW}
local want, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local bucket = redis.call('HMGET', KEYS[1], 'bytes', 'at')
local bytes = tonumber(bucket[1] or rate)
local at = tonumber(bucket[2] or now)
if now > at then bytes = math.min(rate, bytes + (now - at) * rate / 1000) else now = at end
local given = math.max(0, math.floor(math.min(want, bytes)))
redis.call('HSET', KEYS[1], 'bytes', string.format('%.3f', bytes - given), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], 60000)
local wait = 0
if given < want then wait = math.ceil((math.min(want, rate) - given) * 1000 / rate) end
return {given, wait}
`);

/** A sorted set of nodes by when their word ends. ARGV: node, how long it is good (0: leaving). Returns how many are there. */
export const PRESENT = script(`${NOW}
local ttl = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ttl > 0 then
  redis.call('ZADD', KEYS[1], now + ttl, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ttl)
else redis.call('ZREM', KEYS[1], ARGV[1]) end
return redis.call('ZCARD', KEYS[1])
`);
