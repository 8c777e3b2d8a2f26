/**
 * The fixture of the sink `speak`: a webhook, and a rule that makes an alert of every trade. Alerts are no record: a
 * webhook that is away costs those whose attempts are used up (tests/lib/sinks/speak/webhook_test.ts), hence no `remote`.
 */
import { WebhookServer } from "../../lib/sinks/speak/webhook_server.ts";
import type { SinkFixture } from "../sink_fixture.ts";

const webhook = { url: "http://127.0.0.1:1" };

export const fixture: SinkFixture = {
  refused: [
    { engine: "none" },
    { engine: "festival" },
    { voice: "-w /etc/passwd" },
    { rules: [] },
    { rules: [{ when: "price_crosses" }] },
    { rules: [{ when: "price_moves", percent: 0 }] },
    { rules: [{ when: "large_trade" }] },
    { rules: [{ when: "moon_is_full" }] },
    { max_words: 200 },
    { max_queued: 1_000_000 },
    { webhook: { url: "ftp://127.0.0.1" } },
    { webhook: { url: "http://user:password@127.0.0.1" } },
    { webhook: { ...webhook, header: "host" } },
    { webhook: { ...webhook, header: "two words" } },
    { webhook: { ...webhook, attempts: 0 } },
    { webhook: { ...webhook, secret: "two\nlines" } },
  ],
  deduplicates: true,
  never_waits: true,
  keeps_acknowledged: true,
  open() {
    const server = new WebhookServer();
    return Promise.resolve({
      config: {
        engine: "none",
        webhook: { url: server.url },
        rules: [{ when: "large_trade", min_quantity: 0.000_001 }],
      },
      arrived: () =>
        Promise.resolve({
          trades: server.alerts.map(({ symbol, values }) => ({
            symbol: symbol!,
            trade_id: Number(values.trade_id),
            price: Number(values.price),
            quantity: Number(values.quantity),
          })),
        }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    });
  },
};
