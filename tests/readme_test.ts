/**
 * The README's examples, run as they stand there. Only addresses are replaced: tests must not fight over ports, and the
 * venue is a mock. An example that is no longer in the README fails here.
 */
import assert from "node:assert/strict";
// @ts-types="@types/ws"
import WebSocket from "ws";
import { makeCertificate } from "./certificate.ts";
import { splitWords } from "./cli_script.ts";
import { DaemonProcess } from "./end_to_end/daemon_process.ts";
import { GatewayProcess } from "./end_to_end/gateway_process.ts";
import { MockProcess } from "./end_to_end/mock_process.ts";
import { until } from "./end_to_end/until.ts";
import { path, runMdg } from "./mdg_process.ts";
import { serviceTest, testUnless } from "./services.ts";

const readme = Deno.readTextFileSync(path("README.md"));

/** The code blocks of the example that starts with this title, by language. */
function example(title: string): Record<string, string[]> {
  const start = readme.indexOf(`### ${title}`);
  assert.ok(start >= 0, `README has an example "${title}"`);
  const section = readme.slice(start, readme.indexOf("\n##", start + 4));
  const blocks: Record<string, string[]> = {};
  for (const [, language, text] of section.matchAll(/```(\w+)\n([\s\S]*?)```/g)) {
    (blocks[language] ??= []).push(text.trim());
  }
  return blocks;
}

/** The words after `mdg` on the line that starts with it, up to a pipe. */
function mdgWords(block: string, command: string): string[] {
  const line = block.split("\n").find((one) => one.startsWith(`mdg ${command}`));
  assert.ok(line, `README runs mdg ${command}`);
  return line.split("|")[0].trim().split(" ").slice(1);
}

function replaced(words: string[], flag: string, value: string): string[] {
  const at = words.indexOf(flag);
  assert.ok(at >= 0, `README gives ${flag}`);
  return words.with(at + 1, value);
}

/** Sends one message and returns what comes back, `count` messages of it. */
async function converse(url: string, message: string, count: number): Promise<Record<string, unknown>[]> {
  const socket = new WebSocket(url);
  const answers: Record<string, unknown>[] = [];
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("open", () => socket.send(message));
  socket.on("message", (data: WebSocket.RawData) => answers.push(JSON.parse(String(data))));
  await until(
    `${count} messages from ${url}`,
    () => answers.length >= count,
    20_000,
    () => JSON.stringify(answers),
  );
  socket.close();
  await closed;
  return answers;
}

Deno.test("README 1: a market without a venue", async () => {
  const { sh: [command], json: [subscribe] } = example("1. A market without a venue");
  const words = [...mdgWords(command, "run"), "--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0"];
  await using mdg = new DaemonProcess(words, { cwd: path("") });
  const { url } = await mdg.says("listening", { server: "websocket" });
  const types = (await converse(String(url), subscribe, 4)).map((one) => one.type);
  assert.ok(types.includes("snapshot") && types.includes("delta"), types.join(" "));
});

serviceTest("redis", "README 2: Binance futures to Redis", async (redis_url) => {
  const { yaml: [yaml], sh: [commands] } = example("2. Binance futures to Redis");
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/gateway.yaml`, yaml);
    const checked = await runMdg({ args: mdgWords(commands, "config check"), cwd: folder });
    assert.equal(checked.code, 0, checked.stderr);
    await using mock = await MockProcess.start("binance-futures", [
      "--symbols",
      "BTCUSDT,ETHUSDT",
      "--listen",
      "127.0.0.1:0",
    ]);
    const local = yaml.replace("venue: binance-futures", `venue: binance-futures\n    ws_url: ${mock.ws_url}`)
      .replace("url: ${REDIS_URL", "channels: {book: 'readme:{symbol}'}\n    url: ${REDIS_URL")
      .replaceAll(/127\.0\.0\.1:(8080|9090)/g, "127.0.0.1:0");
    await Deno.writeTextFile(`${folder}/gateway.yaml`, local);
    await using mdg = new DaemonProcess(mdgWords(commands, "run"), {
      cwd: folder,
      env: { REDIS_URL: redis_url },
    });
    const { url } = await mdg.says("listening", { server: "health" });
    await until(
      "/ready",
      async () => {
        const response = await fetch(`${url}/ready`);
        await response.body?.cancel();
        return response.status === 200;
      },
      20_000,
      () => mdg.tail(),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("README 2: Redis to WebSocket clients", async () => {
  const { sh: [_, command] } = example("2. Binance futures to Redis");
  const words = mdgWords(command, "redis2ws").map((word) => word.replaceAll("'", ""));
  const { code, stdout, stderr } = await runMdg({ args: [...words, "--print-config"] });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).sources[0].patterns, ["orderbook:*"]);
});

Deno.test("README 3: is this recording whole?", async () => {
  const { sh: [command] } = example("3. Is this recording whole?");
  const verified = await runMdg({ args: mdgWords(command, "verify"), cwd: path("") });
  assert.equal(verified.code, 0, verified.stderr);
  const fields = /'\{(.*)\}'/.exec(command)![1].split(",").map((word) => word.trim());
  const report = JSON.parse(verified.stdout);
  for (const field of fields) assert.ok(field in report, `the report has ${field}`);
});

Deno.test("README 4: trouble on purpose", async () => {
  const { sh: [command] } = example("4. Trouble on purpose");
  const [, venue, ...flags] = mdgWords(command, "mock").map((word) =>
    word.startsWith("fixtures/") ? path(word) : word
  );
  await using mock = await MockProcess.start(
    venue,
    replaced(replaced(flags, "--listen", "127.0.0.1:0"), "--speed", "10"),
  );
  await using gateway = await GatewayProcess.start({
    sources: [{
      kind: "live",
      venue,
      symbols: ["BTCUSDT"],
      ws_url: mock.ws_url,
      max_silence_ms: 1_000,
      first_data_ms: 500,
    }],
    servers: [{ kind: "health", listen: "127.0.0.1:0" }],
  });
  await until(
    "the capture's end",
    async () => (await mock.stats()).finished,
    30_000,
    () => gateway.process.tail(),
  );
  await gateway.untilReady(30_000);
});

Deno.test("README 5: a depth server for front-ends", async () => {
  const { sh: [command], json: [subscribe] } = example("5. A depth server for front-ends");
  await using mdg = new DaemonProcess(replaced(mdgWords(command, "simulate"), "--addr", "127.0.0.1:0"));
  const url = await until(
    "the depth server's address",
    () => {
      const said = mdg.log.map((line) => JSON.stringify(line)).join(" ") + mdg.talk.join(" ") +
        mdg.stdout.join(" ");
      return /ws:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
    },
    20_000,
    () => mdg.tail(),
  );
  const answers = await converse(url, subscribe, 3);
  assert.equal(answers[0].type, "Subscribed");
  assert.ok(answers.some((one) => one.type === "MarketData"), JSON.stringify(answers).slice(0, 300));
});

testUnless(
  Deno.build.os === "windows" ? "no POSIX shell" : undefined,
  "README 6: secrets in a config, and a bundle",
  async () => {
    const { sh: [block] } = example("6. Secrets in a config, and a bundle to deploy");
    const cwd = await Deno.makeTempDir({ prefix: "mdg-readme-" });
    try {
      const config =
        "sinks:\n  - kind: redis\n    url: redis://127.0.0.1:6379\n    password: plain-canary # keep\n";
      await Deno.writeTextFile(`${cwd}/mdg.yaml`, config);
      const env = { EDITOR: "sed -i s/plain-canary/other-canary/", VISUAL: "", MDG_IDENTITY_FILE: "" };
      const [keygen, encrypt, ...rest] = block.split("\n").map((line) => splitWords(line).slice(1));
      const refused = await runMdg({ args: ["zip", "-o", "bundle.zip", "mdg.yaml"], cwd });
      assert.match(refused.stderr, /mdg\.yaml:4: config-secret \(sinks\[0\]\.password\)/);
      for (const args of [keygen, encrypt, ...rest]) {
        const result = await runMdg({ args, cwd, env });
        assert.equal(result.code, 0, `${args.join(" ")}: ${result.stderr}`);
      }
      assert.doesNotMatch(await Deno.readTextFile(`${cwd}/mdg.yaml`), /canary/);
      const back = await runMdg({ args: ["decrypt", "file", "mdg.yaml", "-i", "mdg.key", "-o", "-"], cwd });
      assert.equal(back.stdout, config.replace("plain-canary", "other-canary"));
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
);

serviceTest("openssl", "README 7: many clients, each with rights of its own", async (openssl) => {
  const { yaml: [yaml], sh: [commands] } = example("7. Many clients, each with rights of its own");
  const folder = await Deno.makeTempDir();
  try {
    const ca = await makeCertificate(openssl, folder);
    const added = await runMdg({
      args: mdgWords(commands, "tenant add").filter((word) => word !== ">" && word !== "acme.key"),
      cwd: folder,
    });
    assert.equal(added.code, 0, added.stderr);
    const local = yaml.replaceAll(/127\.0\.0\.1:(8443|9090)/g, "127.0.0.1:0");
    await Deno.writeTextFile(`${folder}/public.yaml`, local);
    await using mdg = new DaemonProcess(mdgWords(commands, "run"), {
      cwd: folder,
      env: { MDG_CONTROL_TOKEN: "readme control token" },
    });
    const { url } = await mdg.says("listening", { server: "restream" });
    const health = await mdg.says("listening", { server: "health" });
    const socket = new WebSocket(String(url), {
      ca,
      headers: { authorization: `Bearer ${added.stdout.trim()}` },
    });
    const answers: Record<string, unknown>[] = [];
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("message", (data: WebSocket.RawData) => answers.push(JSON.parse(String(data))));
    socket.on("open", () => {
      for (const symbol of ["BTCUSD", "ETHUSD"]) {
        socket.send(JSON.stringify({ type: "subscribe", symbol, channel: "book", depth: 20 }));
      }
    });
    const told = (type: string) => answers.find((one) => one.type === type);
    await until("a book and a refusal", () => told("delta") && told("error"), 20_000, () => mdg.tail());
    assert.equal(told("snapshot")!.symbol, "BTCUSD");
    assert.equal(told("error")!.code, "not_entitled");
    const clients = await (await fetch(`${health.url}/clients`, {
      headers: { authorization: "Bearer readme control token" },
    })).json();
    assert.deepEqual(clients.sessions.map(({ tenant }: { tenant: string }) => tenant), ["acme"]);
    socket.close();
    await closed;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
testUnless(
  Deno.build.os === "linux" ? undefined : "supervision needs Linux",
  "README 8: around the clock",
  async () => {
    const { yaml: [yaml], sh: [commands] } = example("8. Around the clock");
    const cwd = await Deno.makeTempDir({ prefix: "mdg-readme-" });
    const env = { MDG_SUPERVISE_DIRECTORY: `${cwd}/run` };
    const [web, health] = [freePort(), freePort()];
    const local = yaml.replaceAll("127.0.0.1:9090", `127.0.0.1:${health}`)
      .replaceAll("127.0.0.1:8080", `127.0.0.1:${web}`);
    await Deno.writeTextFile(`${cwd}/supervise.yaml`, local);
    await Deno.writeTextFile(
      `${cwd}/gateway.yaml`,
      "sources: [{kind: simulator, symbols: [BTCUSD]}]\nservers:\n" +
        `  - {kind: websocket, listen: "127.0.0.1:${web}"}\n  - {kind: health, listen: "127.0.0.1:${health}"}\n`,
    );
    const told = async (command: string, more: string[] = []) => {
      const result = await runMdg({ args: [...mdgWords(commands, command), ...more], cwd, env });
      assert.equal(result.code, 0, `${command}: ${result.stderr}`);
      return result.stdout;
    };
    try {
      assert.match(await told("supervise check"), /valid, 2 apps/);
      assert.equal((await told("supervise schedule")).trim().split("\n").length, 5);
      await using mdg = new DaemonProcess(["supervise", "supervise.yaml"], { cwd, env });
      await mdg.says("online", { app: "ticks" });
      assert.match(await told("supervise status"), /^gateway +online/m);
      const logs = mdgWords(commands, "supervise logs").filter((word) => word !== "-f");
      assert.match((await runMdg({ args: logs, cwd, env })).stdout, /"message":"listening"/);
      assert.match(
        await runMdg({ args: ["supervise", "systemd", "supervise.yaml"], cwd, env }).then((one) =>
          one.stdout
        ),
        /KillMode=process/,
      );
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
);

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
/** The example's lines of this monitor, on a server of the test's and not for ever. */
function monitorLines(word: string, url: string): string[][] {
  const { sh: [block] } = example("10. Is the database well?");
  const lines = block.split("\n").map((line) => splitWords(line.split("#")[0].trim()).slice(1));
  const own = lines.filter(([, name]) => name === word);
  assert.ok(own.length > 0, `README shows monitor ${word}`);
  return own.map((words) => {
    const ends = words.includes("--check") || words.includes("--count");
    return [...words, "--url", url, "--interval", "0.2", ...ends ? [] : ["--once"]];
  });
}

serviceTest("redis", "README 10: is Redis well?", async (url) => {
  for (const args of monitorLines("redis", url)) {
    const { code, stdout, stderr } = await runMdg({ args });
    assert.ok(code <= 2 && stderr === "", `${args.join(" ")}: ${stderr}`);
    assert.match(stdout, /^(REDIS \w+ - |redis )127\.0\.0\.1:\d+.*master/ms);
  }
});

serviceTest("postgres", "README 10: is PostgreSQL well?", async (url) => {
  for (const args of monitorLines("postgres", url)) {
    const { code, stdout, stderr } = await runMdg({ args });
    assert.equal(code, 0, stderr);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.length, 10);
    assert.equal(lines[9].sample.role, "primary");
  }
});

Deno.test("README 9: is the gateway well, and the way to the venue?", async () => {
  const { sh: [block] } = example("9. Is the gateway well, and the way to the venue?");
  await using gateway = new DaemonProcess([
    "run",
    "--listen",
    "127.0.0.1:0",
    "--health-listen",
    "127.0.0.1:0",
  ]);
  const { url } = await gateway.says("listening", { server: "health" });
  const { url: ws_url } = await gateway.says("listening", { server: "websocket" });
  const health = new URL(String(url)).host;
  const [monitor, word] = mdgWords(block, "monitor gateway");
  const seen = await runMdg({ args: [monitor, word, health, "--once"] });
  assert.equal(seen.code, 0, seen.stderr);
  assert.match(seen.stdout, /simulator +live/);
  const words = mdgWords(block, "monitor net");
  const args = replaced(replaced(words, "--host", String(ws_url)), "--gateway", health);
  const way = await runMdg({ args: [...args, "--once"] });
  assert.equal(way.code, 0, way.stderr);
  assert.match(way.stdout, /Hosts, last minute[^]* 0%[^]*simulator +live/);
});
