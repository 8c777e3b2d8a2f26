/** The consumers under examples/ as processes: what they print, each ended by its count. */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { path } from "../mdg_process.ts";
import { serviceAddress, type ServiceName, testUnless } from "../services.ts";

const RUN_LIMIT_MS = 60_000;

/** A test that needs several services and programs; skipped with the first reason. */
export function consumerTest<const N extends ServiceName>(
  needed: readonly N[],
  name: string,
  body: (addresses: Record<N, string>) => Promise<void>,
): void {
  const addresses = {} as Record<N, string>;
  let missing: string | undefined;
  for (const service of needed) {
    const found = serviceAddress(service);
    if ("address" in found) addresses[service] = found.address;
    else missing ??= found.missing;
  }
  testUnless(missing, name, () => body(addresses));
}

/** Its lines of stdout; it must end by itself, with 0. */
export async function linesOf(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const stop = new AbortController();
  const timer = systemClock.after(RUN_LIMIT_MS, () => stop.abort());
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
    signal: stop.signal,
  })
    .output();
  timer.cancel();
  const [data, talk] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, `${program} ${args.join(" ")}: ${talk}\n${data}`);
  return data.trimEnd().split("\n");
}

/** A TypeScript example under Deno, with the permissions that its own first lines ask for. */
export function denoArgs(file: string, args: readonly string[], preload?: string): string[] {
  const said = new RegExp(`deno run (.*)${file}`).exec(Deno.readTextFileSync(path(file)))?.[1];
  assert.ok(said, `${file} says how to run it`);
  const flags = ["run", "--quiet", "--no-prompt", "--config", path("deno.json"), ...said.trim().split(" ")];
  return [...flags, ...preload ? [`--preload=${path(preload)}`] : [], path(file), ...args];
}

/** Compiles an example in C without a warning and hands over the program. */
export async function withProgram(
  compiler: string,
  source: string,
  libraries: readonly string[],
  use: (program: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-example-" });
  try {
    const program = `${folder}/program`;
    await linesOf(compiler, [
      "-Wall",
      "-Wextra",
      "-Werror",
      "-O2",
      "-o",
      program,
      path(source),
      ...libraries,
    ]);
    await use(program);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Lines of `SYMBOL bid x quantity | ask x quantity`, where a book is not crossed. */
export function assertPrices(lines: readonly string[], symbol: string, count: number): void {
  assert.equal(lines.length, count, lines.join("\n"));
  for (const line of lines) {
    const match = /^(\S+) (\S+) x (\S+) \| (\S+) x (\S+)$/.exec(line);
    assert.ok(match && match[1] === symbol && Number(match[2]) < Number(match[4]), line);
    assert.ok(Number(match[3]) > 0 && Number(match[5]) > 0, line);
  }
}

/** A name that no other test uses on a shared server. */
export function ownName(prefix: string): string {
  return `${prefix}${crypto.randomUUID().slice(0, 8).toUpperCase()}`;
}
