/**
 * The faults' meanings and default rates, and how `--fault NAME[=RATE]` is read. Rates are per opportunity and small
 * enough that a whole capture stays mostly right: a client must heal between faults, not live in one.
 */
import { quoted, UserError } from "../base/errors.ts";
import { type Fault, FAULTS, type FaultSpec } from "./mock.ts";

export const FAULT_DOCS: Readonly<Record<Fault, { rate: number; doc: string }>> = {
  drop: { rate: 0.000_5, doc: "a frame is not sent" },
  duplicate: { rate: 0.002, doc: "a frame is sent twice" },
  reorder: { rate: 0.000_5, doc: "a frame is sent after the next one of its stream" },
  delay: { rate: 0.000_2, doc: "a connection holds its frames back, in order, for 20 to 200 frames or 1 s" },
  disconnect: { rate: 0.000_05, doc: "a connection is destroyed while the market goes on" },
  corrupt: {
    rate: 0.000_5,
    doc:
      "a frame is cut, garbled, mistyped, oversized, or has a strange one before it; never a wrong price, unless a " +
      "checksum tells",
  },
  stall: { rate: 0.000_02, doc: "a connection stays open and says nothing more, not even pongs" },
  "late-snapshot": {
    rate: 0.5,
    doc: "a depth answer is delayed, older than asked for, or both (per request)",
  },
  "429": { rate: 0.3, doc: "a REST request is refused with Retry-After (per request)" },
  "lying-ack": { rate: 0.25, doc: "a subscription is acknowledged and carries nothing (per stream)" },
};

/**
 * Reads `drop`, `drop=0.01`, `all`. A later mention of a fault overrides an earlier one.
 * @param known what can happen at the venue: `all` means these
 * @throws UserError (code 2) for an unknown name or a rate outside (0, 1]
 */
export function parseFaults(texts: readonly string[], known: readonly Fault[] = FAULTS): FaultSpec[] {
  const rates = new Map<Fault, number>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (text === "all") {
      for (const fault of known) rates.set(fault, FAULT_DOCS[fault].rate);
      continue;
    }
    const fault = known.find((one) => one === name);
    if (fault === undefined) {
      throw new UserError(`inject fault ${quoted(name)}: unknown, want ${known.join(", ")} or all`, {
        code: 2,
        hint: "a rate may follow, as in drop=0.01; all has none",
      });
    }
    rates.set(fault, equals < 0 ? FAULT_DOCS[fault].rate : rateOf(fault, text.slice(equals + 1)));
  }
  return [...rates].map(([name, rate]) => ({ name, rate }));
}

/** Bare names get their default rates. */
export function withRates(faults: readonly (Fault | FaultSpec)[]): FaultSpec[] {
  return faults.map((one) => typeof one === "string" ? { name: one, rate: FAULT_DOCS[one].rate } : one);
}

function rateOf(fault: Fault, text: string): number {
  const rate = text.trim() === "" ? NaN : Number(text);
  if (rate > 0 && rate <= 1) return rate;
  throw new UserError(`inject fault ${fault}: rate ${quoted(text)}, want above 0 and at most 1`, { code: 2 });
}
