/** Speech by a fake clock: what is said when, and how much of it. The voice takes as long as its words at 175 a minute. */
import assert from "node:assert/strict";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { Random } from "../../../../lib/base/random.ts";
import { AlertMetrics } from "../../../../lib/sinks/speak/alert_metrics.ts";
import { Announcer, type AnnouncerSettings, type Say } from "../../../../lib/sinks/speak/announcer.ts";
import { PRIORITIES } from "../../../../lib/sinks/speak/alert.ts";
import { countWords } from "../../../../lib/sinks/speak/words/speakable.ts";
import { alertOf } from "./alert_of.ts";
import { countOf, logInto } from "./log_lines.ts";

const SETTINGS: AnnouncerSettings = {
  max_queued: 200,
  max_age_ms: 30_000,
  group_wait_ms: 1_000,
  max_words: 40,
  max_words_per_minute: 150,
};
const WORD_MS = 60_000 / 175;

class Stage {
  readonly clock = new ManualClock();
  readonly metrics = new Metrics();
  readonly lines: string[] = [];
  readonly said: { at_ms: number; spoken: string; words: number }[] = [];
  readonly announcer: Announcer;
  failing: string | undefined;

  constructor(settings: Partial<AnnouncerSettings> = {}) {
    const { clock } = this;
    const say: Say = (spoken, signal) =>
      new Promise((resolve, reject) => {
        if (this.failing) return reject(new Error(this.failing));
        const words = countWords(spoken);
        this.said.push({ at_ms: clock.now_ms(), spoken, words });
        const timer = clock.after(words * WORD_MS, resolve);
        signal.addEventListener("abort", () => {
          timer.cancel();
          reject(signal.reason);
        });
      });
    this.announcer = new Announcer({ ...SETTINGS, ...settings }, {
      clock,
      log: logInto(this.lines),
      metrics: new AlertMetrics(this.metrics, "speak"),
      now_ms: () => clock.now_ms(),
      seed: "test",
    }, say);
  }
  push(id: number, fields: Parameters<typeof alertOf>[1] = {}): void {
    this.announcer.push(alertOf(id, { at_ms: this.clock.now_ms(), ...fields }));
  }
  /** Time in steps, promises settled after each. */
  async pass(by_ms: number, step_ms = 100): Promise<void> {
    for (let left = by_ms; left > 0; left -= step_ms) {
      this.clock.advance(Math.min(step_ms, left));
      await nextTurn();
    }
  }
  get texts(): string[] {
    return this.said.map(({ spoken }) => spoken);
  }
  count(name: string, ...labels: string[]): number {
    return countOf(this.metrics, name, ...labels);
  }
  /** Ended in any way, or waiting. */
  get accounted(): number {
    return this.count("alerts_spoken_total") + this.count("alerts_coalesced_total") +
      this.count("alerts_merged_total") + this.count("alerts_dropped_total", "speech") +
      this.announcer.queued;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.announcer.close(1_000);
    await this.pass(2_000);
    await closing;
    assert.equal(this.clock.pending, 0, "a timer was left");
  }
}

Deno.test("alerts of one rule within the wait are one utterance, others another", async () => {
  await using stage = new Stage();
  stage.push(1, { text: "BTCUSDT up through 65000", symbol: "BTCUSDT", rule: "a" });
  await stage.pass(500);
  stage.push(2, { text: "spread is wide", rule: "b" });
  stage.push(3, { text: "ETHUSDT up through 3000", symbol: "ETHUSDT", rule: "a" });
  assert.deepEqual(stage.texts, []);
  await stage.pass(20_000);
  assert.deepEqual(stage.texts, [
    "B T C, U S dollar T up through 65000. E T H, U S dollar T up through 3000.",
    "spread is wide.",
  ]);
  assert.equal(stage.count("alerts_spoken_total"), 3);
});

Deno.test("what does not fit is counted: and 6 more", async () => {
  await using stage = new Stage();
  for (let i = 0; i < 9; i++) stage.push(i, { text: `some ten words of a thing said at number ${i}` });
  await stage.pass(20_000);
  assert.match(stage.texts[0], /^some .* number 0\. some .* number 1\. some .* number 2, and 6 more\.$/);
  assert.equal(stage.said[0].words, 33);
  assert.equal(stage.count("alerts_spoken_total"), 3);
  assert.equal(stage.count("alerts_coalesced_total"), 6);
});

Deno.test("a sentence that alone is too long is cut, not skipped", async () => {
  await using stage = new Stage({ max_words: 10 });
  stage.push(1, { text: "one two three four five six seven eight nine ten eleven twelve" });
  await stage.pass(10_000);
  assert.deepEqual(stage.texts, ["one two three four five six seven eight nine ten."]);
});

Deno.test("a dead feed goes before prices, does not wait, and interrupts them", async () => {
  await using stage = new Stage();
  stage.push(1, { text: "a price that takes quite a while to be said aloud" });
  await stage.pass(1_500);
  assert.equal(stage.said.length, 1);
  stage.push(2, { text: "another price" });
  const asked_ms = stage.clock.now_ms();
  stage.push(3, { text: "feed dead", rule: "feed_dead", priority: "critical" });
  await stage.pass(10_000);
  assert.deepEqual(stage.texts.slice(1), ["feed dead.", "another price."]);
  assert.ok(stage.said[1].at_ms - asked_ms <= 100, `${stage.said[1].at_ms - asked_ms} ms`);
  assert.equal(stage.count("alerts_dropped_total", "interrupted"), 1);
});

Deno.test("one that waits its turn too long is dropped and counted, and it is told", async () => {
  await using stage = new Stage({ max_age_ms: 3_000, max_words: 20, max_words_per_minute: 20 });
  stage.push(1, { text: "a first sentence of nine words to say now" });
  await stage.pass(1_100);
  stage.push(2, { text: "this will have grown old when the voice is free, so it is not said at all" });
  await stage.pass(60_000);
  assert.equal(stage.said.length, 1);
  assert.equal(stage.count("alerts_dropped_total", "late"), 1);
  assert.ok(stage.lines.some((line) => line.includes('"why":"late"')));
});

Deno.test("10,000 alerts a minute are told at a rate that a person can follow", async () => {
  await using stage = new Stage();
  const random = new Random("storm");
  const symbols = Array.from({ length: 500 }, (_, i) => `S${i}USDT`);
  const rules = ["price_crosses", "price_moves", "large_trade", "gap"];
  let pushed = 0;
  const minutes = 5;
  for (let tick = 0; tick < minutes * 600; tick++) {
    for (let i = 0; i < 16 + (tick % 3 < 2 ? 1 : 0); i++) {
      const symbol = random.pick(symbols);
      const rule = random.pick(rules);
      const priority = rule === "gap" ? "high" : "normal";
      stage.push(++pushed, {
        key: `${rule} ${symbol}`,
        symbol,
        rule,
        priority,
        text: `${symbol} up 2.5%, at 65012.3`,
      });
    }
    await stage.pass(100);
  }
  assert.ok(pushed >= minutes * 10_000, `${pushed}`);
  assert.equal(stage.accounted + stage.announcer.speaking, pushed, "an alert is unaccounted for");
  let most = 0;
  for (const { at_ms } of stage.said) {
    const words = stage.said.filter((one) => one.at_ms > at_ms - 60_000 && one.at_ms <= at_ms)
      .reduce((sum, one) => sum + one.words, 0);
    most = Math.max(most, words);
  }
  const total = stage.said.reduce((sum, { words }) => sum + words, 0);
  assert.ok(most <= SETTINGS.max_words_per_minute, `${most} words in a minute`);
  assert.ok(total > minutes * 40, `only ${total} words: that is silence`);
  assert.ok(stage.said.every(({ words }) => words <= SETTINGS.max_words));
  assert.match(stage.texts.at(-1)!, /, and \d+ more\.$/);
  // deno-lint-ignore no-console -- a measurement, like those of tests/end_to_end
  console.log(
    `  ${pushed} alerts in ${minutes} min: ${stage.said.length} utterances, ${total} words, at most ${most} in any minute`,
  );
});
Deno.test("a critical alert is said at once though prices have used up the minute", async () => {
  await using stage = new Stage();
  for (let i = 0; i < 300; i++) {
    stage.push(i, { key: `${i}`, text: `price number ${i} has moved` });
    await stage.pass(100);
  }
  const asked_ms = stage.clock.now_ms();
  stage.push(1_000, { text: "feed dead for 10 seconds", priority: "critical", rule: "feed_dead" });
  await stage.pass(1_000);
  const said = stage.said.find(({ spoken }) => spoken.startsWith("feed dead"));
  assert.ok(said && said.at_ms - asked_ms <= 200);
});

Deno.test("a voice that fails costs its alerts, is tried again with pauses, and says so until it works", async () => {
  await using stage = new Stage();
  stage.failing = "no device";
  for (let i = 0; i < 100; i++) {
    stage.push(i);
    await stage.pass(1_000);
  }
  const attempts = stage.count("speech_utterances_total");
  assert.ok(attempts >= 3 && attempts <= 12, `${attempts} attempts in 100 s`);
  assert.equal(stage.announcer.notReady(), "no device");
  assert.equal(stage.count("alerts_spoken_total"), 0);
  stage.failing = undefined;
  await stage.pass(60_000);
  stage.push(1_000, { text: "back again" });
  await stage.pass(60_000);
  assert.equal(stage.announcer.notReady(), undefined);
  assert.equal(stage.texts.at(-1), "back again.");
  assert.equal(stage.accounted, 101);
});

Deno.test("closing lets the voice finish, within its deadline, and counts what is left", async () => {
  const stage = new Stage();
  stage.push(1, { text: "a price" });
  await stage.pass(1_200);
  stage.push(2);
  const closing = stage.announcer.close(10_000);
  await stage.pass(5_000);
  await closing;
  stage.push(3);
  assert.deepEqual(stage.texts, ["a price."]);
  assert.equal(stage.count("alerts_spoken_total"), 1);
  assert.equal(stage.count("alerts_dropped_total", "shutdown"), 2);
});

Deno.test("property: whatever comes, every alert ends in one way and no minute has too many words", async () => {
  for (let seed = 0; seed < 25; seed++) {
    const random = new Random(`announcer ${seed}`);
    const max_words = random.integer(10, 40);
    await using stage = new Stage({
      max_words,
      max_words_per_minute: max_words + random.integer(0, 100),
      max_queued: random.integer(1, 30),
      max_age_ms: random.integer(1_000, 20_000),
      group_wait_ms: random.integer(0, 3_000),
    });
    let pushed = 0;
    for (let step = 0; step < 200; step++) {
      if (random.chance(0.1)) stage.failing = stage.failing ? undefined : "broken";
      for (let i = random.integer(0, 3); i > 0; i--) {
        const key = random.chance(0.5) ? `same ${random.integer(0, 5)}` : `own ${pushed}`;
        const rule = random.pick(["a", "b", "c"]);
        stage.push(++pushed, {
          key,
          rule,
          priority: random.pick(PRIORITIES),
          text: `${"word ".repeat(random.integer(1, 50))}`,
        });
      }
      await stage.pass(random.integer(1, 1_500), 250);
      assert.equal(stage.accounted + stage.announcer.speaking, pushed, `seed ${seed}, step ${step}`);
    }
    for (const { at_ms } of stage.said) {
      const words = stage.said.filter((one) => one.at_ms > at_ms - 60_000 && one.at_ms <= at_ms)
        .reduce((sum, one) => sum + one.words, 0);
      assert.ok(words <= stage.announcer.settings.max_words_per_minute, `seed ${seed}: ${words} words`);
    }
  }
});
