/**
 * `mdg supervise` with real processes: trees that are killed, programs that do not listen, crashes of the supervisor
 * itself, a log that is written faster than it rotates. Prints what it measures.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { listProcesses, readProcess } from "../../lib/os/process_table.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { rotatedFiles } from "../../lib/supervisor/log_keeper/log_names.ts";
import { inFolder } from "../in_folder.ts";
import { runMdg } from "../mdg_process.ts";
import { is_long, testUnless } from "../services.ts";
import { shell, SupervisorProcess, writeConfig } from "./supervisor_process.ts";
import { until } from "./until.ts";

const no_linux = Deno.build.os === "linux" ? undefined : `no processes of ours on ${Deno.build.os}`;

function superviseTest(name: string, body: (folder: string) => Promise<void>): void {
  testUnless(no_linux, `supervise: ${name}`, () => inFolder(body));
}

/** What was measured, beside the test's name. */
function report(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`supervise: ${text}\n`));
}

function pidsIn(text: string, name: string): number[] {
  return [...text.matchAll(new RegExp(`${name}=(\\d+)`, "g"))].map(([, pid]) => Number(pid));
}

function fileHandles(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** It may have ended with the one that was shot before it. */
function shoot(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function isGone(pid: number): boolean {
  const found = readProcess(pid);
  return found === undefined || found.state === "Z";
}

superviseTest("1,000 crashes and restarts leave no zombie and no handle behind", async (folder) => {
  const crashes = { max_restarts: "unlimited", restart_delay: 0, min_uptime: 0 };
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [
      shell("crash", "exit 1", crashes),
      // its child outlives it and is re-parented: the reaper's work
      shell("orphans", "(sleep 0.01 &) ; exit 1", crashes),
    ],
  });
  const measure = async (cycles: number) => {
    await supervisor.reaches("crash", `${cycles} restarts`, ({ restarts }) => restarts >= cycles, 300_000);
    return { handles: fileHandles(supervisor.pid), rss_bytes: supervisor.daemon.rssBytes() };
  };
  const before = await measure(100);
  const middle = await measure(600);
  const after = await measure(1_100);
  await supervisor.ask({ ask: "stop", names: ["all"] });
  const children = listProcesses().filter(({ ppid }) => ppid === supervisor.pid);
  const { keeper_pid } = await supervisor.status();
  assert.deepEqual(
    children.filter(({ pid }) => pid !== keeper_pid).map(({ pid, state }) => `${pid} ${state}`),
    [],
    "no zombie and no child but the log keeper",
  );
  // a leak of one a cycle would be a thousand
  assert.ok(after.handles <= before.handles + 20, `handles: ${before.handles} → ${after.handles}`);
  // a leak grows in both halves; the engine's heap takes its steps once
  const grown = Math.min(middle.rss_bytes - before.rss_bytes, after.rss_bytes - middle.rss_bytes);
  assert.ok(grown < 15 * 1_048_576, `memory grew by ${grown} bytes and more in each 500 cycles`);
  const grown_in_all = after.rss_bytes - before.rss_bytes;
  assert.ok(grown_in_all < 64 * 1_048_576, `memory grew by ${grown_in_all} bytes over 1,000 cycles`);
  report(
    `1,000 cycles: handles ${before.handles} → ${after.handles}, RSS ${
      Math.round(before.rss_bytes / 1e6)
    } → ${Math.round(after.rss_bytes / 1e6)} MB`,
  );
});

const TREE = [
  "echo leader=$$",
  // in the group, in a session of its own, and a daemon that forked twice
  "sh -c 'echo child=$$; sh -c \"echo grandchild=\\$\\$; sleep 1000 & wait\" & wait' &",
  "setsid sh -c 'echo session=$$; sleep 1000 & wait' &",
  "setsid sh -c '(setsid sh -c \"echo daemon=\\$\\$; trap : TERM; while :; do sleep 1; done\") & exit' &",
  "wait",
].join("\n");

superviseTest("the whole tree ends: group, own sessions, daemons that ignore SIGTERM", async (folder) => {
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [shell("tree", TREE, { kill_timeout: 500 })],
  });
  const names = ["leader", "child", "grandchild", "session", "daemon"];
  const pidsNow = () => names.map((name) => pidsIn(supervisor.log("tree"), name).at(-1));
  await until("all of the tree", () => pidsNow().every((pid) => pid !== undefined));
  const first = pidsNow() as number[];
  // the leader is shot: what it left behind is ended before the next start
  Deno.kill(first[0], "SIGKILL");
  await until("another tree", () => pidsIn(supervisor.log("tree"), "daemon").length === 2);
  assert.deepEqual(first.filter((pid) => !isGone(pid)), [], "nothing of the first tree is left");
  const second = pidsNow() as number[];
  await supervisor.ask({ ask: "stop", names: ["tree"] });
  assert.deepEqual(second.filter((pid) => !isGone(pid)), [], "nothing of the second tree is left");
});

superviseTest("kill −9 of grandchildren leaves no zombie", async (folder) => {
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [shell("tree", TREE, { kill_timeout: 500 })],
  });
  const names = ["child", "grandchild", "session", "daemon"];
  const pids = () => names.map((name) => pidsIn(supervisor.log("tree"), name).at(-1));
  await until("all of the tree", () => pids().every((pid) => pid !== undefined));
  for (const pid of pids()) shoot(pid!);
  await until("no zombie of ours", () => {
    const all = listProcesses();
    const ours = all.filter(({ ppid }) => ppid === supervisor.pid);
    return ours.every(({ state }) => state !== "Z");
  });
});

superviseTest("a program that ignores SIGTERM is killed after its time", async (folder) => {
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [shell("deaf", "trap : TERM; echo up; while :; do sleep 0.1; done", {
      kill_timeout: 700,
      ready: { line: "^up$" },
    })],
  });
  const { pid } = await supervisor.online("deaf");
  const started_ms = systemClock.monotonic_ms();
  await supervisor.ask({ ask: "stop", names: ["deaf"] });
  const took_ms = systemClock.monotonic_ms() - started_ms;
  assert.ok(isGone(pid!));
  assert.ok(took_ms >= 690, `it had its 700 ms: ${took_ms}`);
  assert.equal((await supervisor.app("deaf")).last_end?.signal, "SIGKILL");
  assert.equal(supervisor.daemon.said("not ended in time, killing", { app: "deaf" }).length, 1);
});

superviseTest("a program that was stopped (SIGSTOP) hears that it is to end", async (folder) => {
  await using supervisor = await SupervisorProcess.start(folder, { apps: [shell("held", "sleep 1000")] });
  const { pid } = await supervisor.online("held");
  Deno.kill(pid!, "SIGSTOP");
  await until("it to be stopped", () => readProcess(pid!)?.state === "T");
  await supervisor.ask({ ask: "stop", names: ["held"] });
  assert.equal((await supervisor.app("held")).last_end?.signal, "SIGTERM");
});

superviseTest("kill −9 of the supervisor: programs live, the next one takes them over", async (folder) => {
  const ticks = shell("ticks", 'i=0; while :; do i=$((i+1)); echo "tick $i"; sleep 0.02; done');
  const config = { apps: [ticks, shell("helper", "sleep 1000"), shell("goes", "sleep 1000")] };
  const first = await SupervisorProcess.start(folder, config);
  const before = {
    ticks: await first.online("ticks"),
    helper: await first.online("helper"),
    goes: await first.online("goes"),
  };
  await first.crash();
  const lines = first.log("ticks").length;
  await until("the log goes on without a supervisor", () => first.log("ticks").length > lines + 20);
  // gone while nobody looked, and its number is a stranger's now, for all that the state says
  Deno.kill(before.helper.pid!, "SIGKILL");
  const state = JSON.parse(Deno.readTextFileSync(`${folder}/run/state.json`));
  await using stranger = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  state.apps.helper.process.pid = stranger.pid;
  Deno.writeTextFileSync(`${folder}/run/state.json`, JSON.stringify(state));
  // and one that the file no longer has
  await using second = await SupervisorProcess.start(folder, { apps: config.apps.slice(0, 2) });
  const after = await second.online("ticks");
  assert.equal(after.pid, before.ticks.pid, "the same process");
  assert.ok(after.uptime_ms! >= before.ticks.uptime_ms!, "its uptime goes on");
  const helper = await second.online("helper");
  assert.notEqual(helper.pid, stranger.pid, "a stranger is not adopted");
  assert.ok(isGone(before.goes.pid!), "what the file no longer has is ended");
  assert.equal(readProcess(stranger.pid)?.state, "S", "and a stranger is not touched");
  await second.ask({ ask: "restart", names: ["ticks"] });
  await second.reaches("ticks", "another process", ({ pid }) => pid !== undefined && pid !== after.pid);
  assert.ok(isGone(after.pid!), "an adopted program ends as any other");
  // every number there, once
  const all = [...first.log("ticks").matchAll(/^tick (\d+)$/gm)].map(([, n]) => Number(n));
  const restarted = all.indexOf(1, 1);
  assert.deepEqual(all.slice(0, restarted), Array.from({ length: restarted }, (_, i) => i + 1));
});

superviseTest("the log keeper is shot under load: no line is lost", async (folder) => {
  const rounds = 400;
  const writer = `n=0; while [ $n -lt ${rounds} ]; do seq $((n*10000+1)) $(((n+1)*10000)); ` +
    "sleep 0.005; n=$((n+1)); done; echo done";
  await using supervisor = await SupervisorProcess.start(folder, {
    logs: { max_size: "100K", keep_files: 1_000 },
    apps: [shell("numbers", writer, { autorestart: false })],
  });
  const written = () => rotatedFiles(`${folder}/logs/numbers.log`).length;
  let shots = 0;
  for (; shots < 5; shots++) {
    const before = written();
    const { keeper_pid } = await until("a log keeper that writes", async () => {
      const status = await supervisor.status();
      return written() > before + 2 ? status : undefined;
    });
    Deno.kill(keeper_pid!, "SIGKILL");
    await until("another one", async () => {
      const next = (await supervisor.status()).keeper_pid;
      return next !== undefined && next !== keeper_pid;
    });
  }
  assert.equal((await supervisor.app("numbers")).state, "online", "all shots came while it wrote");
  await supervisor.reaches("numbers", "done", ({ state }) => state === "exited", 120_000);
  await until("its last line", () => supervisor.log("numbers").endsWith("done\n"), 60_000);
  const { files } = assertNumbers(`${folder}/logs/numbers.log`, rounds * 10_000);
  report(`${shots} kills of the log keeper, ${files} files, no line lost`);
});

superviseTest("100 MB/s through rotation: no line lost", async (folder) => {
  // nine bytes a line: 108 MB, or 1.08 GB
  const lines = is_long ? 120_000_000 : 12_000_000;
  await using supervisor = await SupervisorProcess.start(folder, {
    logs: { max_size: "8M", keep_files: 1_000 },
    apps: [shell("numbers", `seq 1 ${lines}; echo done`, { autorestart: false })],
  });
  const start_ms = systemClock.monotonic_ms();
  await supervisor.reaches("numbers", "done", ({ state }) => state === "exited", 300_000);
  await until("its last line", () => supervisor.log("numbers").endsWith("done\n"), 60_000);
  const took_s = (systemClock.monotonic_ms() - start_ms) / 1_000;
  const { bytes, files } = assertNumbers(`${folder}/logs/numbers.log`, lines);
  report(`${files} files, ${Math.round(bytes / 1e6)} MB at ${Math.round(bytes / 1e6 / took_s)} MB/s`);
  assert.ok(files > 10, `${files} files`);
});

superviseTest("the control socket is its owner's alone", async (folder) => {
  await using supervisor = await SupervisorProcess.start(folder, { apps: [shell("one", "sleep 1000")] });
  const modeOf = (path: string) => (Deno.statSync(path).mode! & 0o777).toString(8);
  assert.equal(modeOf(`${supervisor.directory}/control.sock`), "600");
  assert.equal(modeOf(supervisor.directory), "700");
  assert.equal(modeOf(`${supervisor.directory}/state.json`), "600");
  assert.equal(modeOf(`${supervisor.directory}/pipes/one.out`), "600");
  // another user may not even look, whatever it asks; root alone can try this
  if (Deno.uid() !== 0) return;
  Deno.chmodSync(folder, 0o755);
  const connect = "use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; " +
    "print connect($s, pack_sockaddr_un($ARGV[0])) ? 'in' : $!{EACCES} ? 'refused' : $!";
  const { stdout } = await new Deno.Command("/usr/bin/perl", {
    args: ["-MErrno", "-e", connect, `${supervisor.directory}/control.sock`],
    uid: 65_534,
    gid: 65_534,
    cwd: "/",
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "refused");
});

superviseTest("a second supervisor in the same folder is refused", async (folder) => {
  await using supervisor = await SupervisorProcess.start(folder, { apps: [shell("one", "sleep 1000")] });
  await assert.rejects(
    () => SupervisorProcess.start(folder, { apps: [shell("one", "sleep 1000")] }),
    new RegExp(`process ${supervisor.pid} supervises there already`),
  );
  assert.equal((await supervisor.online("one")).state, "online");
});

superviseTest("a port that is taken, a program that is missing, an app that needs both", async (folder) => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [
      shell("web", "sleep 1000", { ready: { port }, max_restarts: 1, restart_delay: 10 }),
      { name: "missing", script: "no-such-program-anywhere", max_restarts: 1, restart_delay: 10 },
      shell("client", "sleep 1000", { depends_on: ["web", "missing"] }),
    ],
  });
  const web = await supervisor.reaches("web", "given up", ({ state }) => state === "failed");
  assert.match(web.reason!, new RegExp(`port 127.0.0.1:${port} is taken by another process`));
  assert.equal(web.pid, undefined);
  const missing = await supervisor.reaches("missing", "given up", ({ state }) => state === "failed");
  assert.match(missing.reason!, /start "no-such-program-anywhere": no such program on PATH/);
  const client = await supervisor.reaches("client", "waiting", ({ state }) => state === "waiting");
  assert.equal(client.reason, "waits for web, which is failed");
});

superviseTest("reload: only what differs is touched, a bad file changes nothing", async (folder) => {
  const keep = shell("keep", "sleep 1000");
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [keep, shell("change", "sleep 1000"), shell("go", "sleep 1000")],
  });
  const before = { keep: await supervisor.online("keep"), change: await supervisor.online("change") };
  const { pid: gone } = await supervisor.online("go");
  Deno.writeTextFileSync(`${folder}/supervise.json`, '{"apps": [{"name": "keep"}]}');
  await assert.rejects(() => supervisor.ask({ ask: "reload" }), /apps\[0\]\.script: missing/);
  assert.equal((await supervisor.app("keep")).pid, before.keep.pid);
  writeConfig(folder, {
    apps: [{ ...keep, schedule: [{ at: "17:05" }] }, shell("change", "sleep 2000"), shell("new", "sleep 1")],
  });
  const { reload } = await supervisor.ask({ ask: "reload" });
  assert.deepEqual(reload, {
    added: ["new"],
    removed: ["go"],
    restarted: ["change"],
    updated: ["keep"],
    unchanged: [],
  });
  assert.equal((await supervisor.app("keep")).pid, before.keep.pid);
  assert.ok((await supervisor.app("keep")).next_scheduled);
  assert.notEqual((await supervisor.online("change")).pid, before.change.pid);
  assert.ok(isGone(gone!));
});

superviseTest("readiness and life signs by sd_notify", async (folder) => {
  const say = (text: string) =>
    `python3 -c 'import os,socket; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(b"${text}",os.environ["NOTIFY_SOCKET"])'`;
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [
      shell("says", `${say("READY=1\\nSTATUS=at work")}; sleep 1000`, { ready: { notify: true } }),
      shell("silent", `${say("READY=1")}; sleep 1000`, {
        ready: { notify: true },
        watchdog: 300,
        restart_delay: 10,
      }),
    ],
  });
  assert.equal((await supervisor.online("says")).says, "at work");
  const silent = await supervisor.reaches("silent", "restarted", ({ restarts }) => restarts > 0);
  assert.match(silent.last_end!.why, /no WATCHDOG=1 for 0.3s/);
});

superviseTest(
  "memory above the limit is a restart; dependencies end after those that need them",
  async (folder) => {
    const hungry = "python3 -c 'import time; x=bytearray(80_000_000); time.sleep(1000)'";
    await using supervisor = await SupervisorProcess.start(folder, {
      memory_interval: 100,
      apps: [
        shell("hungry", hungry, { max_memory_restart: "40M" }),
        shell("base", "echo up; sleep 1000", { ready: { line: "up" } }),
        shell("top", "trap 'sleep 0.3; exit 0' TERM; sleep 1000 & wait", { depends_on: ["base"] }),
      ],
    });
    const { last_end } = await supervisor.reaches("hungry", "restarted", ({ restarts }) => restarts > 0);
    assert.match(last_end!.why, /uses \d+M of memory, at most 40M allowed/);
    await supervisor.online("top");
    await supervisor.ask({ ask: "shutdown", keep: false });
    assert.equal(await supervisor.daemon.ended, 0);
    const ended = supervisor.daemon.said("ended").map(({ app }) => app);
    assert.ok(ended.lastIndexOf("top") < ended.lastIndexOf("base"), ended.join(" "));
  },
);

superviseTest("systemd hears READY, STATUS, life signs and STOPPING", async (folder) => {
  const path = `${folder}/systemd.sock`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  const heard: string[] = [];
  const listening = (async () => {
    for await (const [bytes] of socket) {
      const text = new TextDecoder().decode(bytes);
      heard.push(text);
      if (text === "STOPPING=1") return;
    }
  })();
  {
    await using supervisor = await SupervisorProcess.start(folder, { apps: [shell("one", "sleep 1000")] }, {
      NOTIFY_SOCKET: path,
      WATCHDOG_USEC: "200000",
    });
    await supervisor.online("one");
    await until("life signs", () => heard.filter((text) => text === "WATCHDOG=1").length > 1);
    const environ = Deno.readTextFileSync(`/proc/${(await supervisor.app("one")).pid}/environ`);
    assert.ok(!environ.includes("NOTIFY_SOCKET"), "programs cannot speak for the supervisor");
    assert.ok(heard.includes(`READY=1\nMAINPID=${supervisor.pid}`), heard.join(" "));
  }
  await listening;
  socket.close();
  assert.ok(heard.includes("STATUS=1 online"), heard.join(" "));
});

superviseTest("a second Ctrl-C leaves nothing running", async (folder) => {
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [shell("deaf", "trap : TERM; echo up; while :; do sleep 0.1; done", { ready: { line: "up" } })],
  });
  const { pid } = await supervisor.online("deaf");
  supervisor.daemon.signal("SIGINT");
  await supervisor.daemon.says("stopping");
  supervisor.daemon.signal("SIGINT");
  assert.equal(await supervisor.daemon.ended, 130);
  await until("its end", () => isGone(pid!));
});

superviseTest("mdg run under it: ready when the gateway says so, drained at the end", async (folder) => {
  const health = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = health.addr as Deno.NetAddr;
  health.close();
  await using supervisor = await SupervisorProcess.start(folder, {
    apps: [{
      name: "gateway",
      script: "mdg",
      args: ["run", "--listen", "127.0.0.1:0", "--health-listen", `127.0.0.1:${port}`],
      ready: { http: `http://127.0.0.1:${port}/ready` },
    }],
  });
  const { pid } = await supervisor.online("gateway");
  assert.equal((await fetch(`http://127.0.0.1:${port}/ready`).then((one) => one.text())).length > 0, true);
  await supervisor.ask({ ask: "restart", names: ["gateway"] });
  const next = await supervisor.reaches(
    "gateway",
    "online again",
    (app) => app.state === "online" && app.pid !== pid,
  );
  assert.equal(next.last_end?.code, 0, "a clean end");
  assert.match(supervisor.log("gateway"), /"message":"listening"/);
});

superviseTest(
  "a state file that is damaged, a log folder that cannot be made, logs after the end",
  async (folder) => {
    const config = { apps: [shell("one", "echo hello; sleep 1000")] };
    await Deno.mkdir(`${folder}/run`);
    Deno.writeTextFileSync(`${folder}/run/state.json`, '{"version":1,"id":');
    {
      await using supervisor = await SupervisorProcess.start(folder, config);
      await supervisor.online("one");
      await until("its line", () => supervisor.log("one") === "hello\n");
    }
    const told = await runMdg({ args: ["supervise", "logs", "one", "--directory", "run"], cwd: folder });
    assert.deepEqual([told.code, told.stdout], [0, "hello\n"], told.stderr);
    assert.match(told.stderr, /no supervisor is running/);
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(
      () => SupervisorProcess.start(folder, { ...config, logs: { directory: "file/logs" } }),
      /make log directory/,
    );
  },
);

superviseTest("shutdown --keep, then another supervisor: nothing restarts", async (folder) => {
  const config = { apps: [shell("one", "sleep 1000")] };
  const first = await SupervisorProcess.start(folder, config);
  const { pid } = await first.online("one");
  const { keeper_pid } = await first.status();
  await first.ask({ ask: "shutdown", keep: true });
  assert.equal(await first.daemon.ended, 0);
  await using second = await SupervisorProcess.start(folder, config);
  assert.equal((await second.online("one")).pid, pid);
  assert.equal((await second.status()).keeper_pid, keeper_pid);
});

/** The numbers from 1 on, one a line, each once, each file ending with a whole line, then "done". */
function assertNumbers(path: string, count: number): { bytes: number; files: number } {
  const wanted = createHash("sha256");
  let block = "";
  for (let n = 1; n <= count; n++) {
    block += `${n}\n`;
    if (block.length > 1_000_000 || n === count) {
      wanted.update(block);
      block = "";
    }
  }
  wanted.update("done\n");
  const found = createHash("sha256");
  const files = [...rotatedFiles(path), path];
  let bytes = 0;
  for (const file of files) {
    const content = Deno.readFileSync(file);
    assert.equal(content.at(-1), 10, `${file} ends with a whole line`);
    found.update(content);
    bytes += content.length;
  }
  assert.equal(found.digest("hex"), wanted.digest("hex"), "every line is there, once and in order");
  return { bytes, files: files.length };
}
