/** `mdg audio-test`: a tone and a voice on each audio device, or in a file; and what is missing for that. */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand, type ExitCode } from "../lib/cli/command.ts";
import type { Step } from "../lib/sinks/speak/sound/audio_test.ts";
import { settingsOf, VOICE_FLAGS } from "./speech/voice_flags.ts";

const DEFAULT_FILE = "mdg-audio-test.wav";

export const audioTest = defineCommand({
  summary: "Play a tone and a voice on each audio device, or tell what is missing",
  description:
    "Without a device, or with --wav, tone and voice go into a WAV file. Exit 0 when a voice and every device (or the file " +
    "that was asked for) worked, else 1 with what is missing and how to get it.",
  flags: {
    wav: {
      type: "text",
      value: "FILE",
      doc: `write to this file and play nothing; without a device: ${DEFAULT_FILE}`,
    },
    list: { type: "boolean", short: "l", doc: "only list the devices" },
    device: { type: "list", value: "NAME", doc: "only these, as --list names them" },
    frequency: {
      type: "number",
      value: "HZ",
      short: "f",
      min: 20,
      max: 10_000,
      default: 440,
      doc: "of the tone",
    },
    seconds: { type: "number", value: "S", min: 0.1, max: 60, default: 1, doc: "length of the tone" },
    text: {
      type: "text",
      value: "TEXT",
      default: "mdg audio test, BTCUSDT at $65,000.50",
      doc: "what the voice says",
    },
    json: { type: "boolean", doc: "one object a step" },
    ...VOICE_FLAGS,
  },
  examples: [
    { command: "mdg audio-test", doc: "every device" },
    { command: "mdg audio-test --wav test.wav", doc: "where there is no device" },
  ],
  permissions: ["run"],
  async run(world, flags): Promise<ExitCode> {
    const [{ findDevices, makeSound, playOn }, { speakable }] = await Promise.all([
      import("../lib/sinks/speak/sound/audio_test.ts"),
      import("../lib/sinks/speak/words/speakable.ts"),
    ]);
    const { clock, signal } = world;
    const text = speakable(flags.text).spoken;
    if (text === "") {
      throw new UserError("read --text: nothing of it can be said, want letters or digits", { code: 2 });
    }
    const options = {
      clock,
      signal,
      text,
      engine: flags.engine,
      voice: settingsOf(flags),
      frequency_hz: flags.frequency,
      tone_seconds: flags.seconds,
    };
    if (flags.wav === "-") {
      throw new UserError('write --wav "-": stdout has the report, want a file', { code: 2 });
    }
    const failed: Step[] = [];
    const tell = async (step: Step) => {
      if (!step.ok) failed.push(step);
      await world.stdout(flags.json ? `${JSON.stringify(step)}\n` : stepText(step));
    };
    const found = flags.wav === undefined || flags.list ? await findDevices(options) : undefined;
    const has_device = found !== undefined && found.devices.length > 0;
    // a player without devices matters only when no other has any
    for (const step of found?.steps ?? []) if (step.ok || !has_device) await tell(step);
    const wanted = flags.device.length === 0
      ? found?.devices ?? []
      : flags.device.map((name) => found?.devices.find((one) => one.name === name) ?? unknownDevice(name));
    if (flags.list) {
      for (const { name, description } of wanted) {
        await tell({ what: "device", name, ok: true, detail: description });
      }
    } else {
      const { sound, step } = await makeSound(options);
      await tell(step);
      for (const device of wanted) await tell(await playOn(device, found!.player!, sound, options));
      if (!has_device) await tell(await writeSound(world.cwd, flags.wav ?? DEFAULT_FILE, sound));
    }
    for (const { what, name, remedy } of failed) {
      if (remedy) world.stderr(`hint: ${what} ${name}: ${remedy}\n`);
    }
    return failed.length === 0 ? 0 : 1;
  },
});

async function writeSound(
  cwd: string,
  name: string,
  sound: import("../lib/sinks/speak/sound/wav.ts").Sound,
): Promise<Step> {
  const [{ absolutePath }, { writeWholeFile }, { secondsOf, peakOf, writeWav }] = await Promise.all([
    import("../lib/cli/text_files/read_text.ts"),
    import("../lib/os/write_whole_file.ts"),
    import("../lib/sinks/speak/sound/wav.ts"),
  ]);
  await writeWholeFile(absolutePath(cwd, name), writeWav(sound));
  const detail = `${secondsOf(sound).toFixed(2)} s, peak ${peakOf(sound).toFixed(2)}`;
  return { what: "file", name, ok: true, detail };
}

function unknownDevice(name: string): never {
  throw new UserError(`find device ${JSON.stringify(name)}: unknown, want one that --list names`, {
    code: 2,
  });
}

function stepText({ what, name, ok, detail }: Step): string {
  return `${what.padEnd(7)} ${ok ? "ok     " : "FAILED "} ${name}: ${detail}\n`;
}
