/**
 * Alerts of one rule as one thing to listen to: as many sentences as fit, then "and 7 more". Never longer than its bound:
 * a single sentence that would be is cut.
 */
import type { Alert } from "./alert.ts";
import { countWords, speakable } from "./words/speakable.ts";

export interface Utterance {
  readonly spoken: string;
  readonly words: number;
  /** Alerts that are said with their own sentence. */
  readonly said: number;
  /** Alerts that are only counted. */
  readonly more: number;
}

/** Words that "and 12345 more" needs at most. */
const MORE_WORDS = 7;

export function compose(alerts: readonly Alert[], lost: number, max_words: number): Utterance {
  const sentences: string[] = [];
  let words = 0;
  for (const { text, symbol } of alerts) {
    const { spoken } = speakable(text, symbol === undefined ? [] : [symbol]);
    const length = countWords(spoken);
    const is_last = sentences.length + 1 === alerts.length && lost === 0;
    if (words + length + (is_last ? 0 : MORE_WORDS) > max_words) break;
    sentences.push(spoken);
    words += length;
  }
  if (sentences.length === 0) {
    const { text, symbol } = alerts[0];
    const room = alerts.length + lost > 1 ? max_words - MORE_WORDS : max_words;
    sentences.push(cutWords(speakable(text, symbol === undefined ? [] : [symbol]).spoken, room));
  }
  const more = alerts.length - sentences.length + lost;
  const spoken = `${sentences.join(". ")}${more > 0 ? `, and ${more} more` : ""}.`;
  return { spoken, words: countWords(spoken), said: sentences.length, more };
}

/** The first words, at most so many as a voice needs to say them. */
export function cutWords(spoken: string, max_words: number): string {
  const kept: string[] = [];
  let words = 0;
  for (const word of spoken.split(" ")) {
    words += countWords(word);
    if (words > max_words) break;
    kept.push(word);
  }
  return kept.join(" ").replace(/[,;:]$/, "");
}
