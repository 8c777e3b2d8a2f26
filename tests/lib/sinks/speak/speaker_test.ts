/** Voices: what they are told and where, what they do when something is missing, and that sound comes out of the real one. */
import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { runProgram } from "../../../../lib/os/run_program.ts";
import { VOICES } from "../../../../lib/sinks/speak/engines.ts";
import { findSpeaker, Speaker } from "../../../../lib/sinks/speak/speaker.ts";
import { peakOf, readWav, secondsOf } from "../../../../lib/sinks/speak/sound/wav.ts";
import { espeakNg } from "../../../../lib/sinks/speak/voices/espeak_ng.ts";
import { sapi } from "../../../../lib/sinks/speak/voices/sapi.ts";
import { spdSay } from "../../../../lib/sinks/speak/voices/spd_say.ts";
import { speakable } from "../../../../lib/sinks/speak/words/speakable.ts";
import { serviceAddress, serviceTest, testUnless } from "../../../services.ts";
import { FakeProgram } from "./fake_program.ts";

const SETTINGS = { rate_words_per_minute: 175, volume_percent: 100 };
const clock = systemClock;
const unix = Deno.build.os === "windows" ? "no sh" : undefined;
const HOSTILE = "-w /tmp/x; $(reboot) `reboot` !-!SET SELF RATE 50 [[inpt PHON]] -$1.25M";

for (const kind of VOICES) {
  testUnless(
    unix,
    `voice ${kind.name}: the text is on stdin and nowhere else, and is no option and no command`,
    async () => {
      await using program = await FakeProgram.make(kind.program);
      const speaker = new Speaker(
        { ...kind, program: program.path },
        { ...SETTINGS, voice: "Some Voice" },
        clock,
      );
      const { spoken } = speakable(HOSTILE);
      await speaker.say(spoken);
      const [{ args, stdin }, ...others] = await program.calls();
      assert.equal(others.length, 0);
      assert.match(stdin, /minus 1\.25 million dollars\n?$/);
      assert.doesNotMatch(stdin, /^[^\p{L}\p{N}]/u);
      assert.doesNotMatch(stdin, /[$`[\]\\|<>]|!-!/);
      for (const arg of args) assert.ok(!arg.includes("million") && !arg.includes("reboot"), arg);
      if (kind !== sapi) assert.ok(args.includes("Some Voice"));
    },
  );
}

Deno.test("SAPI's script is the same whatever is said and by whom: what varies are variables", () => {
  const one = sapi.speak({ ...SETTINGS, voice: "'; Remove-Item x; '" });
  const other = sapi.speakToFile!({ ...SETTINGS, rate_words_per_minute: 300 }, "C:\\x'y.wav");
  assert.deepEqual(one.args, other.args);
  assert.equal(one.env!.MDG_SPEAK_VOICE, "'; Remove-Item x; '");
  assert.deepEqual([other.env!.MDG_SPEAK_RATE, other.env!.MDG_SPEAK_FILE], ["6", "C:\\x'y.wav"]);
});

Deno.test("espeak-ng reads a lone A as an article: spelled runs with one get points", () => {
  assert.equal(espeakNg.input("A A P L up 2 percent"), "A.A.P.L. up 2 percent\n");
  assert.equal(espeakNg.input("B T C, U S dollar T"), "B T C, U S dollar T\n");
  assert.equal(espeakNg.input("A feed is dead"), "A feed is dead\n");
  assert.equal(espeakNg.input("A D A, U S dollar."), "A.D.A., U S dollar.\n");
});

Deno.test("spd-say takes a line that begins with !-! for a command: none begins so", () => {
  assert.equal(spdSay.input("!-!SET SELF RATE 50"), "SET SELF RATE 50\n");
});

testUnless(unix, "the first voice that is here is taken, the system's own before others", async () => {
  await using program = await FakeProgram.make("voice");
  const here = { ...espeakNg, program: program.path };
  const missing = { ...spdSay, program: "mdg-no-such-program" };
  const found = await findSpeaker("auto", SETTINGS, { clock, voices: [missing, here], os: "linux" });
  assert.equal(found.kind, here);
  const orders = VOICES.map(({ order }) => order);
  assert.deepEqual(orders, orders.toSorted((one, other) => one - other));
  const silent = { ...spdSay, program: program.path };
  await assert.rejects(
    findSpeaker("auto", SETTINGS, { clock, voices: [silent], to_file: true, os: "linux" }),
    UserError,
  );
});

Deno.test("espeak-ng missing: what is wanted, and how to get it", async () => {
  const voices = [{ ...espeakNg, program: "mdg-no-such-program" }];
  for (const engine of ["auto", "espeak-ng"]) {
    const error = await findSpeaker(engine, SETTINGS, { clock, voices }).catch((error) => error);
    assert.ok(error instanceof UserError);
    assert.equal(error.message, "find a voice: no mdg-no-such-program here, want one of them");
    assert.match(error.hint!, /apt install espeak-ng/);
  }
  await assert.rejects(
    findSpeaker("sapi", SETTINGS, { clock, voices: [] }),
    /^UserError: find a voice: no sapi here/,
  );
});

testUnless(
  unix,
  "failures say what the program said: its code, or its stderr although the code is 0",
  async () => {
    const attempt = async (script: string) => {
      await using program = await FakeProgram.make("voice", script);
      const speaker = new Speaker({ ...espeakNg, program: program.path }, SETTINGS, clock);
      return await speaker.say("hello").then(() => "fine", (error) => error.message);
    };
    assert.equal(await attempt("echo 'ALSA lib talks a lot' >&2"), "fine");
    assert.equal(
      await attempt("echo 'error: No such file or directory' >&2"),
      "speak with espeak-ng: its sound goes nowhere, there may be no audio device (No such file or directory)",
    );
    assert.equal(
      await attempt("echo first >&2; echo 'no such voice' >&2; exit 1"),
      "speak with espeak-ng: no such voice",
    );
    assert.equal(await attempt("exit 7"), "speak with espeak-ng: it ended with code 7");
  },
);

serviceTest(
  "espeak_ng",
  "real speech is a WAV file with sound in it, also for a text that begins with a dash",
  async (program) => {
    const speaker = new Speaker({ ...espeakNg, program }, SETTINGS, clock);
    const say = async (text: string) => readWav(await speaker.wav(speakable(text).spoken));
    const [dash, short, long] = [
      await say("-$1.25M"),
      await say("gap"),
      await say("BTCUSDT up 2.5% in 3 minutes, at 65012.3"),
    ];
    for (const sound of [dash, short, long]) assert.ok(peakOf(sound) > 0.1, `peak ${peakOf(sound)}`);
    assert.ok(secondsOf(dash) > 1.5, `${secondsOf(dash)} s`);
    assert.ok(secondsOf(long) > 2 * secondsOf(short));
    const refused = new Speaker({ ...espeakNg, program }, { ...SETTINGS, voice: "xx-nope" }, clock);
    await assert.rejects(refused.wav("hello"), /voice does not exist/);
  },
);

const [espeak, sox] = [serviceAddress("espeak_ng"), serviceAddress("sox")];
const missing = [espeak, sox].flatMap((one) => "missing" in one ? [one.missing] : []).at(0);
testUnless(missing, "sox hears it: what is spoken is not silent", async () => {
  if ("missing" in espeak || "missing" in sox) return;
  const speaker = new Speaker({ ...espeakNg, program: espeak.address }, SETTINGS, clock);
  const path = await Deno.makeTempFile({ suffix: ".wav" });
  const statOf = async (text: string) => {
    await Deno.writeFile(path, await speaker.wav(speakable(text).spoken));
    const { stderr } = await runProgram({
      program: sox.address,
      args: [path, "-n", "stat"],
      clock,
      deadline_ms: 30_000,
    });
    const value = (name: string) => Number(new RegExp(`^${name}.*?:\\s*([\\d.]+)`, "m").exec(stderr)?.[1]);
    return { seconds: value("Length"), rms: value("RMS\\s+amplitude"), peak: value("Maximum amplitude") };
  };
  try {
    for (const text of ["-$1.25M", "BTCUSDT feed dead for 12 seconds at binance-futures", "AAPL +2.3%"]) {
      const { seconds, rms, peak } = await statOf(text);
      // deno-lint-ignore no-console -- a measurement, like those of tests/end_to_end
      console.log(`  ${JSON.stringify(text)}: ${seconds} s, RMS ${rms}, peak ${peak}`);
      assert.ok(seconds > 1 && rms > 0.02 && peak > 0.1, text);
    }
  } finally {
    await Deno.remove(path);
  }
});
