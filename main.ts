/**
 * argv → exit code. The only place that reads the process's environment, listens to its signals and ends it.
 * Everything else is in commands/ (what can be asked) and lib/ (how it is done).
 */
import * as commands from "./commands/registry.ts";
import manifest from "./deno.json" with { type: "json" };
import { systemClock } from "./lib/base/clock.ts";
import { checkRuntime } from "./lib/cli/check_runtime.ts";
import type { Registry } from "./lib/cli/command.ts";
import { crashReport } from "./lib/cli/crash_report.ts";
import { Lifecycle } from "./lib/cli/lifecycle.ts";
import { colorWanted, Output, processStreams, routeConsole } from "./lib/cli/output.ts";
import { runCommandLine } from "./lib/cli/run_command_line.ts";

const REVOCABLE = ["ffi", "run"] as const;

const env = Deno.env.toObject();
const output = new Output(processStreams(), colorWanted(env, Deno.args));
const lifecycle = new Lifecycle();

Deno.addSignalListener("SIGINT", () => {
  if (lifecycle.interrupt()) Deno.exit(130);
});
if (Deno.build.os !== "windows") {
  Deno.addSignalListener("SIGTERM", () => void lifecycle.stop("terminate"));
  Deno.addSignalListener("SIGHUP", () => void lifecycle.reload());
}
for (const kind of ["error", "unhandledrejection"] as const) {
  globalThis.addEventListener(kind, (event) => {
    event.preventDefault();
    const cause = event instanceof PromiseRejectionEvent ? event.reason : (event as ErrorEvent).error;
    const report = crashReport(cause, Deno.args);
    output.failure(report);
    output.talk(report.stack);
    Deno.exit(1);
  });
}

const unfit = checkRuntime(Deno.version.deno, Deno.build.standalone);
if (unfit) {
  output.failure(unfit);
  Deno.exit(unfit.code);
}
const code = await runCommandLine(commands satisfies Registry, {
  name: manifest.name,
  version: manifest.version,
  argv: Deno.args,
  env,
  cwd: Deno.cwd(),
  clock: systemClock,
  output,
  lifecycle,
  stdin: () => Deno.stdin.readable,
  routeConsole,
  restrict(kept) {
    for (const name of REVOCABLE) if (!kept.includes(name)) Deno.permissions.revokeSync({ name });
  },
});
Deno.exit(code);
