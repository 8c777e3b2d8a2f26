/**
 * The real spd-say against a dispatcher of our own that keeps what it is told (SSIP, its protocol, over a Unix socket):
 * the text arrives as text, and the call lasts as long as the speech.
 */
import assert from "node:assert/strict";
import { nextTurn, systemClock } from "../../lib/base/clock.ts";
import { Speaker } from "../../lib/sinks/speak/speaker.ts";
import { spdSay } from "../../lib/sinks/speak/voices/spd_say.ts";
import { speakable } from "../../lib/sinks/speak/words/speakable.ts";
import { serviceTest } from "../services.ts";
import { until } from "../end_to_end/until.ts";

const SETTINGS = { rate_words_per_minute: 225, volume_percent: 80 };

class Dispatcher implements AsyncDisposable {
  /** Lines outside of texts. */
  readonly commands: string[] = [];
  readonly texts: string[] = [];
  /** Says that the last text has been spoken. */
  end: () => Promise<void> = () => Promise.resolve();
  readonly #listener: Deno.UnixListener;
  readonly #connections = new Set<Deno.UnixConn>();
  readonly #serving: Promise<void>;

  constructor(readonly path: string) {
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#serving = this.#serve();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    // one that still waits would wait for ever
    for (const connection of this.#connections) connection.close();
    await this.#serving;
  }
  async #serve(): Promise<void> {
    const talks: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) talks.push(this.#talk(connection));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(talks);
  }
  async #talk(connection: Deno.UnixConn): Promise<void> {
    this.#connections.add(connection);
    const say = async (...lines: string[]) => {
      await connection.write(new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join("")));
    };
    this.end = () => say("701-1", "701-1", "701 BEGIN", "702-1", "702-1", "702 END");
    let text: string[] | undefined;
    let rest = "";
    const buffer = new Uint8Array(4_096);
    const decoder = new TextDecoder();
    const read = () => connection.read(buffer).catch(() => null);
    for (let count = await read(); count !== null; count = await read()) {
      const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\r\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (text && line !== ".") text.push(line);
        else if (text) {
          this.texts.push(text.join("\n"));
          text = undefined;
          await say("225-1", "225 OK MESSAGE QUEUED");
        } else if (/^speak/i.test(line)) {
          text = [];
          await say("230 OK RECEIVING DATA");
        } else {
          this.commands.push(line);
          await say(/^quit/i.test(line) ? "231 HAPPY HACKING" : "200 OK");
        }
      }
    }
  }
}

serviceTest(
  "spd_say",
  "spd-say: text is text, settings are settings, and it returns when it has been spoken",
  async (program) => {
    const folder = await Deno.makeTempDir({ prefix: "mdg-spd-" });
    try {
      await using dispatcher = new Dispatcher(`${folder}/socket`);
      const env = { SPEECHD_ADDRESS: `unix_socket:${dispatcher.path}` };
      const kind = {
        ...spdSay,
        program,
        speak: (settings: typeof SETTINGS) => ({ ...spdSay.speak(settings), env }),
      };
      const { spoken } = speakable("!-!SET SELF RATE 50\n-$1.25M on AAPL");
      let is_done = false;
      const speaking = new Speaker(kind, SETTINGS, systemClock).say(spoken).then(() => is_done = true);
      await until(
        "the text",
        () => dispatcher.texts.length > 0,
        10_000,
        () => dispatcher.commands.join("\n"),
      );
      for (let turn = 0; turn < 200; turn++) {
        await nextTurn();
      }
      assert.equal(is_done, false, "it did not wait");
      await dispatcher.end();
      await speaking;
      assert.equal(
        dispatcher.texts[0].trim(),
        "SET S E L F R A T E 50 minus 1.25 million dollars on A A P L",
      );
      const set = dispatcher.commands.map((line) => line.toUpperCase());
      for (const wanted of ["SET SELF RATE 25", "SET SELF VOLUME 60", "SET SELF PRIORITY IMPORTANT"]) {
        assert.ok(set.includes(wanted), `${wanted} among\n${set.join("\n")}`);
      }
      assert.ok(!set.includes("SET SELF RATE 50"), "a text became a command");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
