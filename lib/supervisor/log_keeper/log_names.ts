/**
 * Names of log files: NAME.log is written, NAME.20261130T170502.123456Z.log was rotated at that time. Rotated names sort
 * by age; two of the same app never clash.
 */
import { basename, dirname } from "node:path";

const STAMP = /^\.(\d{8}T\d{6}\.\d{6}Z)\.log$/;

/** NAME.log → NAME.<UTC time to the microsecond>.log; later than `newest`, whatever the clock says. */
export function rotatedPath(path: string, now_us: number, newest: string | undefined): string {
  const stem = path.slice(0, -".log".length);
  for (let us = Math.floor(now_us);; us++) {
    const candidate = `${stem}.${stampOf(us)}.log`;
    if (newest === undefined || candidate > newest) return candidate;
    us = Math.max(us, microsecondsOf(newest, stem));
  }
}

/** Rotated files of this log, oldest first. */
export function rotatedFiles(path: string): string[] {
  const folder = dirname(path);
  const stem = basename(path, ".log");
  const found: string[] = [];
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (isFile && name.startsWith(stem) && STAMP.test(name.slice(stem.length))) {
      found.push(`${folder}/${name}`);
    }
  }
  return found.sort();
}

function stampOf(us: number): string {
  const instant = Temporal.Instant.fromEpochNanoseconds(BigInt(us) * 1_000n);
  return instant.toString({ smallestUnit: "microsecond" }).replace(/[-:]/g, "");
}

function microsecondsOf(path: string, stem: string): number {
  const [, y, mo, d, h, mi, s, fraction] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d{6})Z\.log$/.exec(
    path.slice(stem.length),
  )!;
  return Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`) * 1_000 + Number(fraction);
}
