/** What a recording would say of a data set: one source, one connection that brings all of it. */
import type { Mark, SourceMark } from "../../formats/recording/mark.ts";

export const DATASET_CONNECTION = 1;

/** `format` names how its frames are to be read; `venue` is what events are said to be of. */
export function datasetMarks(
  format: string,
  venue: string,
): { source: SourceMark; opened: Mark & { mark: "opened" } } {
  const head = { source: format, venue, symbols: [], channels: [] };
  return {
    source: { mark: "source", ...head, number: 1, legs: 1, dataset: format },
    opened: { mark: "opened", ...head, connection: DATASET_CONNECTION, id: format, url: "", leg: 0 },
  };
}
