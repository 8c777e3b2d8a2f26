/** The keys of a replay, as a terminal sends them. */
import assert from "node:assert/strict";
import { pressed, stateLine } from "../../commands/replay/keys.ts";
import type { PlayerState, ReplayPlayer } from "../../lib/sources/replay/player.ts";

class FakePlayer {
  state: PlayerState = { at_us: 1_796_000_000_000_000, records: 7, speed: 1, paused: false, finished: false };
  readonly calls: string[] = [];
  pause = () => void this.calls.push("pause");
  resume = () => void this.calls.push("resume");
  step = () => void this.calls.push("step");
  setSpeed = (speed: number) => void this.calls.push(`speed ${speed}`);
  seek = (at_us: number) => void this.calls.push(`seek ${at_us - this.state.at_us}`);
}

Deno.test("space, n, plus, minus, arrows, q and Ctrl-C", () => {
  const fake = new FakePlayer();
  const player = fake as unknown as ReplayPlayer;
  const quit = () => void fake.calls.push("quit");
  for (const key of [" ", "n", "+", "-", "\u001b[C", "\u001b[D", "q", "\u0003", "x"]) {
    pressed(key, player, quit);
  }
  fake.state = { ...fake.state, paused: true, speed: Infinity };
  pressed(" ", player, quit);
  pressed("-", player, quit);
  assert.deepEqual(fake.calls, [
    ...["pause", "step", "speed 2", "speed 0.5", "seek 10000000", "seek -10000000", "quit", "quit"],
    ...["resume", "speed 500000"],
  ]);
  assert.equal(stateLine(player), "2026-11-30T00:53:20.000Z  max  paused  7 records");
});
