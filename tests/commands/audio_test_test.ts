/** `mdg audio-test` on a machine with devices: the programs are stand-ins that note how they were called. */
import assert from "node:assert/strict";
import { tone, writeWav } from "../../lib/sinks/speak/sound/wav.ts";
import { FakeProgram } from "../lib/sinks/speak/fake_program.ts";
import { runMdg } from "../mdg_process.ts";
import { testUnless } from "../services.ts";

const not_linux = Deno.build.os === "linux" ? undefined : "the stand-ins are Linux programs";

async function machine(pactl: string, paplay: string) {
  const stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "mdg-audio-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.writeFile(`${folder}/voice.wav`, writeWav(tone(300, 0.5, 16_000)));
  const programs = {
    pactl: stack.use(await FakeProgram.make("pactl", pactl)),
    paplay: stack.use(await FakeProgram.make("paplay", paplay)),
    espeak: stack.use(
      await FakeProgram.make(
        "espeak-ng",
        `while [ $# -gt 0 ]; do if [ "$1" = -w ]; then cp ${folder}/voice.wav "$2"; fi; shift; done`,
      ),
    ),
  };
  const PATH = [...Object.values(programs).map((program) => program.folder), Deno.env.get("PATH")].join(":");
  const run = (...args: string[]) => runMdg({ args: ["audio-test", ...args], cwd: folder, env: { PATH } });
  return { ...programs, folder, run, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
const SINKS = `printf '0\\tspeakers\\tm\\ts16le 2ch\\tIDLE\\n1\\theadset\\tm\\ts16le 1ch\\tRUNNING\\n'`;

testUnless(not_linux, "tone and voice go to each device, the voice's text on stdin", async () => {
  await using here = await machine(SINKS, "");
  const { code, stdout, stderr } = await here.run("--text", "-5% on NVDA");
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n"), [
    "player  ok      paplay: 2 audio device(s)",
    "voice   ok      espeak-ng: 0.50 s, peak 0.50",
    "device  ok      speakers: s16le 2ch, idle",
    "device  ok      headset: s16le 1ch, running",
  ]);
  const played = await here.paplay.calls();
  assert.deepEqual(played.map(({ args }) => args[0]).sort(), ["--device=headset", "--device=speakers"]);
  const said = (await here.espeak.calls()).map(({ stdin }) => stdin).filter((text) => text !== "");
  assert.deepEqual(said, ["minus 5 percent on N.V.D.A.\n"]);
});

testUnless(not_linux, "a device that fails is told with its reason, the others still play", async () => {
  await using here = await machine(
    SINKS,
    `case "$1" in *headset) echo 'Connection refused' >&2; exit 1;; esac`,
  );
  const { code, stdout } = await here.run("--json");
  assert.equal(code, 1);
  const devices = stdout.trim().split("\n").map((line) => JSON.parse(line)).filter(({ what }) =>
    what === "device"
  );
  assert.deepEqual(devices, [
    { what: "device", name: "speakers", ok: true, detail: "s16le 2ch, idle" },
    { what: "device", name: "headset", ok: false, detail: "Connection refused" },
  ]);
});

testUnless(not_linux, "one device may be chosen, and all be listed without a sound", async () => {
  await using here = await machine(SINKS, "");
  assert.match((await here.run("--list")).stdout, /device {2}ok {6}headset: s16le 1ch, running\n$/);
  assert.deepEqual(await here.paplay.calls(), []);
  assert.equal((await here.run("--device", "headset")).code, 0);
  assert.deepEqual((await here.paplay.calls()).map(({ args }) => args[0]), ["--device=headset"]);
  const wrong = await here.run("--device", "hedset");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /find device "hedset": unknown, want one that --list names/);
});
