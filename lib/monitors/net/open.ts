/** The flags of `mdg monitor net` → its sampler, with everything judged before anything is asked. */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import type { World } from "../../cli/command.ts";
import { type ProcFiles, procFiles } from "../../os/proc_files.ts";
import { HealthPort } from "../gateway/health_port.ts";
import type { MonitorOptions, Sampler } from "../monitor.ts";
import { shakeHands } from "./handshake.ts";
import { LoopWatch } from "./loop_watch.ts";
import { NetSampler } from "./net_sampler.ts";
import { MAX_UNDER_WAY, Prober } from "./prober.ts";
import { readTarget, type Target } from "./target.ts";
import { warmUp } from "./warm_up.ts";

export interface NetFlags {
  host: string[];
  every?: number;
  "handshake-timeout": number;
  "tls-ca"?: string;
  gateway?: string;
  "stale-after": number;
  interface: string[];
  process: string[];
}

const DEFAULT_EVERY_S = 1;
/** Venues allow few new connections; Binance, 300 in five minutes. */
const DEFAULT_WEBSOCKET_EVERY_S = 5;
const MAX_HOSTS = 50;
/** Hosts begin one after the other within this. */
const SPREAD_MS = 200;

/** @throws UserError (exit 2) */
export async function openNetSampler(
  world: World,
  flags: NetFlags,
  options: MonitorOptions,
): Promise<Sampler> {
  const { clock } = world;
  const { timeout_ms } = options;
  const targets = readTargets(flags);
  const gateway = flags.gateway === undefined
    ? undefined
    : new HealthPort({ url: flags.gateway, clock, timeout_ms });
  const ca = flags["tls-ca"] === undefined ? undefined : await authorities(world, flags["tls-ca"]);
  const { files, why } = machine();
  if (!files && targets.length === 0 && !gateway) {
    throw new UserError(why!, { code: 2, hint: "--host and --gateway work" });
  }
  await warmUp(targets, clock, world.signal);
  const watch = new LoopWatch(clock);
  const late_ms = (at_ms: number, since_ms: number) => watch.late_ms(at_ms, since_ms);
  const sampler = new NetSampler({
    clock,
    timeout_ms,
    watch,
    files,
    no_files: why,
    gateway,
    stale_after_s: flags["stale-after"],
    interfaces: flags.interface.length === 0 ? undefined : flags.interface,
    processes: flags.process.length === 0 ? undefined : flags.process,
    hosts: targets.map((target, i) => {
      const interval_ms = 1_000 * everySeconds(target, flags);
      const handshake_ms = 1_000 * flags["handshake-timeout"];
      const shake = (signal: AbortSignal) =>
        shakeHands(target, { clock, timeout_ms: handshake_ms, ca, signal });
      const begin_after_ms = Math.min(interval_ms, SPREAD_MS) * i / targets.length;
      return {
        target,
        prober: new Prober({
          clock,
          interval_ms,
          timeout_ms: handshake_ms,
          shake,
          begin_after_ms,
          late_ms,
        }),
      };
    }),
  });
  return sampler as Sampler;
}

async function authorities({ cwd }: World, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(isAbsolute(path) ? path : join(cwd, path));
  } catch (error) {
    throw new UserError(`read "--tls-ca": ${quoted(path, 200)}: ${reasonOf(error)}`, {
      code: 2,
      cause: error,
    });
  }
}

function readTargets(flags: NetFlags): Target[] {
  const targets = [...new Set(flags.host)].map(readTarget);
  if (targets.length > MAX_HOSTS) {
    throw new UserError(`read "--host": ${targets.length} hosts, want at most ${MAX_HOSTS}`, { code: 2 });
  }
  for (const target of targets) {
    const under_way = Math.ceil(flags["handshake-timeout"] / everySeconds(target, flags));
    if (under_way > MAX_UNDER_WAY) {
      throw new UserError(
        `read "--every": ${under_way} handshakes with a silent host would be under way, want at most ${MAX_UNDER_WAY}`,
        { code: 2, hint: "a longer --every or a shorter --handshake-timeout" },
      );
    }
  }
  return targets;
}

function everySeconds(target: Target, { every }: NetFlags): number {
  return every ?? (target.kind === "ws" ? DEFAULT_WEBSOCKET_EVERY_S : DEFAULT_EVERY_S);
}

/** The kernel's files, or why there are none. */
function machine(): { files?: ProcFiles; why?: string } {
  try {
    return { files: procFiles() };
  } catch (error) {
    return { why: reasonOf(error) };
  }
}
