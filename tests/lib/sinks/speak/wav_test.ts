import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { runProgram } from "../../../../lib/os/run_program.ts";
import { aplay } from "../../../../lib/sinks/speak/sound/players/aplay.ts";
import { paplay } from "../../../../lib/sinks/speak/sound/players/paplay.ts";
import { joined, peakOf, readWav, secondsOf, tone, writeWav } from "../../../../lib/sinks/speak/sound/wav.ts";
import { serviceTest } from "../../../services.ts";

Deno.test("a WAV file is read back as it was written", () => {
  for (const channels of [1, 2]) {
    const sound = tone(440, 0.1, 22_050, channels);
    assert.deepEqual(readWav(writeWav(sound)), sound);
    assert.equal(secondsOf(sound).toFixed(3), "0.100");
    assert.ok(Math.abs(peakOf(sound) - 0.5) < 0.01);
  }
});

Deno.test("a header with open sizes, as programs write it to a pipe, and chunks in between are read", () => {
  const sound = tone(440, 0.05, 8_000);
  const bytes = writeWav(sound);
  new DataView(bytes.buffer).setUint32(40, 0x7FFFF000, true);
  assert.deepEqual(readWav(bytes), sound);
  const list = new Uint8Array([...new TextEncoder().encode("LIST"), 3, 0, 0, 0, 1, 2, 3, 0]);
  const chunked = new Uint8Array([
    ...writeWav(sound).subarray(0, 36),
    ...list,
    ...writeWav(sound).subarray(36),
  ]);
  assert.deepEqual(readWav(chunked), sound);
});

Deno.test("what is no 16-bit PCM is refused, and no length of garbage crashes", () => {
  const bytes = writeWav(tone(440, 0.01, 8_000));
  for (let length = 0; length < 44; length++) {
    assert.throws(() => readWav(bytes.subarray(0, length)), /^UserError: read WAV/);
  }
  const eight_bits = writeWav(tone(440, 0.01, 8_000));
  eight_bits[34] = 8;
  assert.throws(() => readWav(eight_bits), /encoding 1, 8 bits, want 16-bit PCM/);
});

Deno.test("sounds are joined with a pause, unlike ones are refused", () => {
  const one = tone(440, 0.1, 1_000);
  assert.equal(joined([one, one], 0.5).samples.length, 700);
  assert.throws(() => joined([one, tone(440, 0.1, 2_000)]), RangeError);
});

Deno.test("devices are read from what the programs list", () => {
  const cards = [
    "**** List of PLAYBACK Hardware Devices ****",
    "card 0: PCH [HDA Intel PCH], device 0: ALC257 Analog [ALC257 Analog]",
    "  Subdevices: 1/1",
    "card 1: Headset [USB Headset], device 3: USB Audio [USB Audio]",
  ].join("\n");
  assert.deepEqual(aplay.listing!.read(cards), [
    { name: "plughw:0,0", description: "HDA Intel PCH, ALC257 Analog" },
    { name: "plughw:1,3", description: "USB Headset, USB Audio" },
  ]);
  assert.deepEqual(aplay.listing!.read("no soundcards"), []);
  const sinks = "0\talsa_output.pci-0000.analog-stereo\tmodule.c\ts16le 2ch 44100Hz\tSUSPENDED\n";
  assert.deepEqual(paplay.listing!.read(sinks), [
    { name: "alsa_output.pci-0000.analog-stereo", description: "s16le 2ch 44100Hz, suspended" },
  ]);
});

serviceTest("sox", "sox hears the tone at its frequency", async (sox) => {
  const path = await Deno.makeTempFile({ suffix: ".wav" });
  try {
    for (const frequency_hz of [220, 440, 1_000]) {
      await Deno.writeFile(path, writeWav(tone(frequency_hz, 1, 22_050)));
      const args = [path, "-n", "stat"];
      const { stderr } = await runProgram({ program: sox, args, clock: systemClock, deadline_ms: 30_000 });
      const heard = Number(/^Rough\s+frequency:\s*(\d+)/m.exec(stderr)?.[1]);
      assert.ok(Math.abs(heard - frequency_hz) < frequency_hz * 0.03, `${heard} Hz for ${frequency_hz}`);
    }
  } finally {
    await Deno.remove(path);
  }
});
