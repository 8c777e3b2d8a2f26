/**
 * From nothing to the end of `mdg --help` and `mdg version`, as a process: from source and, when MDG_BINARY names it or
 * dist/mdg is there, compiled. The promise for the binary's help is below 150 ms; bare Deno is the baseline.
 */
import { systemClock } from "../../lib/base/clock.ts";
import { mdgCommand, path } from "../mdg_process.ts";
import { print, quantile, row } from "./figures.ts";

const ROUNDS = 20;

async function samples_ms(program: string, args: readonly string[]): Promise<Float64Array> {
  const samples = new Float64Array(ROUNDS);
  for (let i = -2; i < ROUNDS; i++) {
    const from_ms = systemClock.monotonic_ms();
    const { success } = await new Deno.Command(program, { args: [...args], stdout: "null", stderr: "null" })
      .output();
    if (!success) throw new Error(`${program} ${args.join(" ")}: failed`);
    if (i >= 0) samples[i] = systemClock.monotonic_ms() - from_ms;
  }
  return samples;
}

const compiled = path("dist/mdg");
const has_compiled = await Deno.stat(compiled).then(() => true, () => false);
const starts: [what: string, program: string, args: readonly string[]][] = [
  ["deno eval, the baseline", Deno.execPath(), ["eval", "0"]],
];
const { program, args } = mdgCommand();
for (const word of ["--help", "version"]) {
  starts.push([`mdg ${word}, ${args.length > 0 ? "source" : "compiled"}`, program, [...args, word]]);
  if (args.length > 0 && has_compiled) starts.push([`mdg ${word}, compiled`, compiled, [word]]);
}
print("start-up of a process");
for (const [what, program, args] of starts) {
  const samples = await samples_ms(program, args);
  row(
    what,
    `${quantile(samples, 0.5).toFixed(0)} ms`,
    `worst of ${ROUNDS}: ${quantile(samples, 1).toFixed(0)} ms`,
  );
}
