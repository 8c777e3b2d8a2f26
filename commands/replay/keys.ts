/**
 * The keyboard of a replay: space pauses, n plays one batch, + and - change the speed, arrows jump, q ends. Only where
 * stdin is a terminal.
 */
import type { World } from "../../lib/cli/command.ts";
import { terminalInput } from "../../lib/cli/read_input.ts";
import type { ReplayPlayer } from "../../lib/sources/replay/player.ts";

const JUMP_US = 10_000_000;
const MAX_SPEED = 1_000_000;
export const KEYS_HELP = "space pause, n step, + - speed, ← → 10 s, q quit";

/** Returns how to give the keyboard back; nothing to do where there is no terminal. */
export function replayKeys(world: World, player: ReplayPlayer, quit: () => void): () => void {
  if (!terminalInput.is_terminal) return () => {};
  terminalInput.set_raw(true);
  let is_over = false;
  const read = async () => {
    const buffer = new Uint8Array(16);
    while (!is_over) {
      const length = await terminalInput.read(buffer);
      if (length === null || is_over) return;
      pressed(new TextDecoder().decode(buffer.subarray(0, length)), player, quit);
      world.stderr(`\r${stateLine(player)}\u001b[K`);
    }
  };
  void read();
  return () => {
    is_over = true;
    terminalInput.set_raw(false);
    world.stderr("\n");
  };
}

/** One key, as a terminal sends it. */
export function pressed(key: string, player: ReplayPlayer, quit: () => void): void {
  const { state } = player;
  switch (key) {
    case " ":
      return state.paused ? player.resume() : player.pause();
    case "n":
      return player.step();
    case "+":
      return player.setSpeed(Math.min(state.speed * 2, MAX_SPEED));
    case "-":
      return player.setSpeed(Math.max(Math.min(state.speed, MAX_SPEED) / 2, 1 / 1_024));
    case "\u001b[C":
      return player.seek(state.at_us + JUMP_US);
    case "\u001b[D":
      return player.seek(state.at_us - JUMP_US);
    case "q":
    case "\u0003":
      return quit();
  }
}

export function stateLine(player: ReplayPlayer): string {
  const { at_us, speed, paused, records } = player.state;
  const at = at_us > 0 ? new Date(at_us / 1_000).toISOString() : "-";
  return `${at}  ${speed === Infinity ? "max" : `${speed}x`}${paused ? "  paused" : ""}  ${records} records`;
}
