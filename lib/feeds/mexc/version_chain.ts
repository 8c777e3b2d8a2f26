/**
 * How MEXC chains books, spot and futures alike: each update begins one version after the last one ended. One that begins
 * inside what the book holds and ends after it is taken: its quantities are absolute as of its end, so nothing is lost.
 * Source: MEXC spot v3 documents, "How to properly maintain a local copy of the order book".
 */
import type { SequenceRule } from "../../market/sequence_rule.ts";

const follow: SequenceRule["afterDelta"] = (delta, last_id) => {
  if (delta.last_id <= last_id) return "stale";
  return delta.first_id <= last_id + 1 ? "next" : "gap";
};

export const versionChain: SequenceRule = { afterSnapshot: follow, afterDelta: follow };
