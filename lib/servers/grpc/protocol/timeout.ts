/** The header `grpc-timeout`: at most eight digits and a unit (doc/PROTOCOL-HTTP2.md). */
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
/** A timer holds 2^31 ms; three weeks are as good as no deadline. */
const MAX_MS = 2_000_000_000;

/** Milliseconds; undefined when it is no timeout. */
export function parseTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  return match ? Math.min(MAX_MS, Number(match[1]) * UNIT_MS[match[2]]) : undefined;
}
