/**
 * A gateway that speaks: a sink that can't connect, a feed that dies, a market that trades all the time. The voice is a
 * program that notes what it is told, the webhook is real.
 */
import assert from "node:assert/strict";
import { FakeProgram } from "../lib/sinks/speak/fake_program.ts";
import { WebhookServer } from "../lib/sinks/speak/webhook_server.ts";
import { testUnless } from "../services.ts";
import { DaemonProcess } from "./daemon_process.ts";
import { liveConfig } from "./live_config.ts";
import { MockProcess } from "./mock_process.ts";
import { until } from "./until.ts";

const SECRET = "s3cr3t-of-the-webhook";
const no_sh = Deno.build.os === "windows" ? "no sh" : undefined;

testUnless(
  no_sh,
  "a dead sink and a dead feed are spoken and posted, among trades",
  async () => {
    await using voice = await FakeProgram.make("espeak-ng");
    await using webhook = new WebhookServer();
    await using mock = await MockProcess.start("binance-futures", [
      "--symbols",
      "BTCUSDT",
      "--listen",
      "127.0.0.1:0",
    ]);
    const base = liveConfig({
      venue: "binance-futures",
      ws_url: mock.ws_url,
      symbols: ["BTCUSDT"],
      source: { rest_url: mock.rest_url },
      redis_url: "redis://127.0.0.1:1",
    });
    const speak = {
      kind: "speak",
      engine: "espeak-ng",
      group_wait_s: 0.2,
      webhook: { url: webhook.url, secret: SECRET },
      rules: [
        { when: "feed_dead", after_s: 1 },
        { when: "sink_down", after_s: 1 },
        { when: "large_trade", min_quantity: 0.000_000_1 },
      ],
    };
    const folder = await Deno.makeTempDir({ prefix: "mdg-e2e-" });
    const file = `${folder}/gateway.json`;
    await Deno.writeTextFile(file, JSON.stringify({ ...base, sinks: [...base.sinks, speak] }));
    const env = { PATH: `${voice.folder}:${Deno.env.get("PATH")}` };
    await using mdg = new DaemonProcess(["run", "--config", file], { env });
    try {
      const posted = (rule: string) => webhook.alerts.filter((alert) => alert.rule === rule);
      const heard = async (words: RegExp) =>
        (await voice.calls()).filter(({ stdin }) => words.test(stdin)).length;
      const tail = () => mdg.tail();
      await until("the dead sink posted", () => posted("sink_down").length > 0, 20_000, tail);
      await until("a trade posted", () => posted("large_trade").length > 0, 20_000, tail);
      await until("the dead sink spoken", () => heard(/^sink redis down for /), 20_000, tail);
      assert.deepEqual(posted("feed_dead"), []);
      await mock.process.kill();
      await until("the dead feed posted", () => posted("feed_dead").length > 0, 20_000, tail);
      await until("the dead feed spoken", () => heard(/^B T C, U S dollar T feed dead for /), 20_000, tail);
      assert.match(posted("feed_dead")[0].text, /^BTCUSDT feed dead for \d+ seconds? at binance-futures$/);
      assert.equal(webhook.posts[0].headers.get("x-mdg-secret"), SECRET);
      mdg.signal("SIGTERM");
      assert.equal(await mdg.ended, 0);
      for (const { args, stdin } of await voice.calls()) {
        assert.ok(args.every((arg) => arg.startsWith("-") || /^(\d+|en-us)$/.test(arg)), args.join(" "));
        assert.doesNotMatch(stdin, /^-/);
      }
      const told = [...mdg.log.map((line) => JSON.stringify(line)), ...mdg.talk].join("\n");
      for (const secret of [SECRET, "T0KEN-in-path", "also-secret"]) {
        assert.ok(
          !told.includes(secret),
          secret,
        );
      }
      const spoken = mdg.said("spoken").length;
      // deno-lint-ignore no-console -- a measurement, like those of tests/end_to_end
      console.log(
        `  ${
          posted("large_trade").length
        } trades posted in ${webhook.posts.length} posts, ${spoken} utterances`,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
