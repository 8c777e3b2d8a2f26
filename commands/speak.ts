/** `mdg speak TEXT`: a text as it would be spoken by the sink `speak`: aloud, into a file, or only shown. */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand, type World } from "../lib/cli/command.ts";
import { VOICE_FLAGS } from "./speech/voice_flags.ts";

const MAX_TEXT_BYTES = 64 * 1024;
/** About five minutes. */
const MAX_WORDS = 1_000;

export const speak = defineCommand({
  summary: "Say a text aloud, or write it as a WAV file",
  description:
    "Tickers are spelled, pairs, money, percent, numbers and times are said in words. The text comes from the arguments or " +
    "from stdin; one that begins with a dash comes from stdin or after --. The program that speaks gets it on its stdin.",
  arguments: [{ name: "TEXT", doc: "what to say; - or absent: stdin", many: true }],
  flags: {
    wav: { type: "text", value: "FILE", doc: "write speech to this file, - is stdout; nothing is heard" },
    "dry-run": {
      type: "boolean",
      short: "n",
      doc: "print what would be said, and why it differs from the text",
    },
    json: { type: "boolean", doc: "with --dry-run: one object" },
    ...VOICE_FLAGS,
  },
  examples: [
    { command: "mdg speak BTCUSDT up 2.5% at 65000", doc: "aloud" },
    { command: "echo '-$1.25M' | mdg speak --dry-run", doc: "what would be said" },
    { command: "mdg speak --wav alert.wav NVDA through 200 at 09:31 ET", doc: "as a file" },
  ],
  permissions: ["run"],
  async run(world, flags, words) {
    const [{ speakable, countWords }, { cutWords }] = await Promise.all([
      import("../lib/sinks/speak/words/speakable.ts"),
      import("../lib/sinks/speak/utterance.ts"),
    ]);
    const { spoken: whole, changes } = speakable(await textOf(world, words));
    if (whole === "") {
      throw new UserError("speak: nothing of the text can be said, want letters or digits", { code: 2 });
    }
    const spoken = cutWords(whole, MAX_WORDS);
    if (spoken !== whole) world.stderr(`cut after ${MAX_WORDS} words\n`);
    const { findSpeaker } = await import("../lib/sinks/speak/speaker.ts");
    const { settingsOf } = await import("./speech/voice_flags.ts");
    const to_file = flags.wav !== undefined;
    const speaker = findSpeaker(flags.engine, settingsOf(flags), { clock: world.clock, to_file });
    if (flags["dry-run"]) {
      const voice = await speaker.then(
        ({ kind }) => ({ engine: kind.name }),
        (error) => ({ missing: String(error.message) }),
      );
      const plan = { spoken, words: countWords(spoken), ...voice, changes };
      await world.stdout(flags.json ? `${JSON.stringify(plan)}\n` : planText(plan));
      return 0;
    }
    const found = await speaker;
    if (flags.wav === undefined) await found.say(spoken, world.signal);
    else await writeSound(world, flags.wav, await found.wav(spoken, world.signal));
    return 0;
  },
});

async function textOf(world: World, words: readonly string[]): Promise<string> {
  if (words.length > 1 || (words.length === 1 && words[0] !== "-")) return words.join(" ");
  const { readAll } = await import("../lib/cli/read_input.ts");
  return new TextDecoder().decode(await readAll(world.stdin, MAX_TEXT_BYTES, "text"));
}

async function writeSound(world: World, path: string, bytes: Uint8Array): Promise<void> {
  if (path === "-") return await world.stdout(bytes);
  const [{ absolutePath }, { writeWholeFile }] = await Promise.all([
    import("../lib/cli/text_files/read_text.ts"),
    import("../lib/os/write_whole_file.ts"),
  ]);
  await writeWholeFile(absolutePath(world.cwd, path), bytes);
}

interface Plan {
  spoken: string;
  words: number;
  engine?: string;
  missing?: string;
  changes: readonly { from: string; to: string; reason: string }[];
}

function planText({ spoken, words, engine, missing, changes }: Plan): string {
  const lines = changes.map(({ from, to, reason }) => `  ${from} → ${to || "nothing"} (${reason})`);
  return [spoken, ...lines, `${words} words, ${engine ? `by ${engine}` : missing}`].join("\n") + "\n";
}
