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

export function compose(alerts: readonly Alert[], lost: number, max_words: number): Utterance {
  const sentences: string[] = [];
  let words = 0;
  for (const alert of alerts) {
    const sentence = sentenceOf(alert);
    const length = countWords(sentence);
    const rest = countWords(moreText(alerts.length + lost - sentences.length - 1));
    if (words + length + rest > max_words) break;
    sentences.push(sentence);
    words += length;
  }
  if (sentences.length === 0) {
    const rest = countWords(moreText(alerts.length + lost - 1));
    sentences.push(cutWords(sentenceOf(alerts[0]), max_words - rest));
  }
  const more = alerts.length - sentences.length + lost;
  const spoken = `${sentences.join(". ")}${moreText(more)}.`;
  return { spoken, words: countWords(spoken), said: sentences.length, more };
}

function sentenceOf({ text, symbol }: Alert): string {
  return speakable(text, symbol === undefined ? [] : [symbol]).spoken;
}

function moreText(count: number): string {
  return count === 0 ? "" : `, and ${count} more`;
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
