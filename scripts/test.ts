/**
 * All the tests in one command: sees to the services they need, runs them, stops what it started, and ends with one
 * line of counts. What could not be had is skipped loudly, never silently.
 * Use: deno task test [--long] [--soak] [--binary FILE] [PATH…]
 */
import { systemClock } from "../lib/base/clock.ts";
import { reasonOf } from "../lib/base/errors.ts";
import { Output, processStreams } from "../lib/cli/output.ts";
import { findProgram, installDebianPackage } from "./debian.ts";
import * as services from "./services/registry.ts";
import { missingEnv, type RunningService, type ServiceKind } from "./services/service.ts";
import { closingLine, readTestReport, type TestReport } from "./test_report.ts";

interface Wanted {
  env: Record<string, string>;
  paths: string[];
}

const BINARY_TESTS = [
  "tests/binary_test.ts",
  "tests/cli_test.ts",
  "tests/main_test.ts",
  "tests/deploy/image_test.ts",
];

const output = new Output(processStreams(), false);
const say = (text: string) => output.talk(`${text}\n`);

/** `--long` and `--soak` widen what runs; `--binary FILE` runs the scripts against a compiled mdg. */
function readArguments(args: readonly string[]): Wanted {
  const wanted: Wanted = { env: {}, paths: [] };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--long") wanted.env.MDG_TEST_LONG = "1";
    else if (arg === "--soak") wanted.env.MDG_TEST_SOAK = "1";
    else if (arg === "--binary") {
      wanted.env.MDG_BINARY = Deno.realPathSync(rest.shift() ?? "dist/mdg");
      wanted.paths.push(...BINARY_TESTS);
    } else if (arg.startsWith("-")) {
      throw new Error(`read "${arg}": want --long, --soak, --binary FILE or paths`);
    } else wanted.paths.push(arg);
  }
  if (wanted.paths.length === 0) wanted.paths.push("tests/");
  return wanted;
}

/** An address, or why there is none. */
async function seeTo(kind: ServiceKind): Promise<{ running: RunningService } | { missing: string }> {
  const existing = await kind.existing(systemClock);
  if (existing) return { running: { address: existing, stop: () => Promise.resolve() } };
  let program = await findProgram(kind.program, kind.extra_folders);
  if (!program) {
    say(`${kind.name}: not here, trying to install the Debian package ${kind.debian_package}`);
    const reason = await installDebianPackage(kind.debian_package);
    if (reason) return { missing: `no ${kind.program}, and it cannot be installed: ${reason}` };
    program = await findProgram(kind.program, kind.extra_folders);
    if (!program) return { missing: `${kind.debian_package} was installed but brought no ${kind.program}` };
  }
  try {
    return { running: await kind.start(program, systemClock) };
  } catch (error) {
    return { missing: reasonOf(error) };
  }
}

async function runDenoTest(wanted: Wanted, env: Record<string, string>): Promise<TestReport> {
  const junit_path = await Deno.makeTempFile({ prefix: "mdg-junit-", suffix: ".xml" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--allow-all",
        "--sanitize-ops",
        "--sanitize-resources",
        `--junit-path=${junit_path}`,
        // not a skip: it belongs to another run, after compiling
        ...wanted.env.MDG_BINARY ? [] : ["--ignore=tests/binary_test.ts,tests/deploy/image_test.ts"],
        ...wanted.paths,
      ],
      env: { ...env, ...wanted.env },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    const report = readTestReport(await Deno.readTextFile(junit_path));
    // a run that broke before or between tests is a failure even when no single test is
    return code !== 0 && report.failed === 0 ? { ...report, failed: 1 } : report;
  } finally {
    await Deno.remove(junit_path);
  }
}

async function main(): Promise<void> {
  const wanted = readArguments(Deno.args);
  // Ctrl-C reaches the tests as well; here it only must not skip the clean-up
  Deno.addSignalListener("SIGINT", () => {});
  const env: Record<string, string> = {};
  const running: RunningService[] = [];
  try {
    for (const kind of Object.values(services) as ServiceKind[]) {
      const given = Deno.env.get(kind.env);
      const found = given
        ? { running: { address: given, stop: () => Promise.resolve() } }
        : await seeTo(kind);
      if ("missing" in found) {
        env[missingEnv(kind)] = found.missing;
        say(`${kind.name}: MISSING: ${found.missing}`);
        continue;
      }
      running.push(found.running);
      env[kind.env] = found.running.address;
      say(`${kind.name}: ${found.running.address}`);
    }
    const report = await runDenoTest(wanted, env);
    for (const name of report.skipped) say(`skipped: ${name}`);
    await output.data(`${closingLine(report)}\n`);
    Deno.exitCode = report.failed === 0 ? 0 : 1;
  } finally {
    for (const service of running) await service.stop();
  }
}

await main();
