/**
 * Alerts that are heard: rules watch prices, spreads, feeds and the other sinks; what they raise is spoken at a rate that
 * a person can follow and, where one is given, posted to a webhook. A dead feed goes before any price, what is late is not
 * said at all, and everything not said is counted. Refuses: text in arguments or through a shell.
 */
import { z } from "zod";
import { knownSecrets } from "../base/known_secrets.ts";
import { markSecret } from "../config/secret.ts";
import { defineSink } from "./sink.ts";
import { RULES } from "./speak/rule_config.ts";
import { ENGINES } from "./speak/engines.ts";

const seconds = (otherwise: number, min: number, max: number) =>
  z.number().min(min).max(max).default(otherwise);
/** A webhook's own business, not a secret's. */
const TAKEN_HEADERS = ["content-type", "content-length", "host", "connection", "transfer-encoding"];

function isWebhookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === "https:" || protocol === "http:") && username + password === "";
}

const WEBHOOK = z.strictObject({
  url: markSecret(
    z.string().refine(isWebhookUrl, "must be http:// or https:// without a login"),
    "Where alerts are posted as JSON; treated as a secret, since chat services put theirs into it",
  ),
  secret: markSecret(
    z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, "want printable ASCII, as in a header"),
    "Sent in a header with each post",
  ).optional(),
  header: z.string().regex(/^[A-Za-z0-9-]{1,60}$/, "want letters, digits and -")
    .refine(
      (name) => !TAKEN_HEADERS.includes(name.toLowerCase()),
      "is a header of the post itself, want another",
    )
    .default("x-mdg-secret").describe("The header; for a bearer token authorization, with a secret Bearer …"),
  text_key: z.string().regex(/^[a-z_]{1,30}$/, "want lower-case letters and _")
    .refine((key) => !["sink", "alerts", "lost"].includes(key), "is a key of the post itself, want another")
    .default("text").describe("Key under which the sentences stand: text for Slack, content for Discord"),
  deadline_ms: z.int().min(100).max(60_000).default(5_000).describe("Deadline of one attempt"),
  attempts: z.int().min(1).max(20).default(4).describe("Attempts in all; then the post's alerts are dropped"),
  max_queued: z.int().min(1).max(100_000).default(1_000)
    .describe("Alerts kept while the webhook is slow; then the oldest are dropped and counted"),
});

export const SPEAK_SCHEMA = z.strictObject({
  engine: z.enum([...ENGINES, "none"]).default("auto")
    .describe("Which program speaks; auto: the first that is here, none: only the webhook"),
  voice: z.string().regex(/^[A-Za-z][\w .()+/-]{0,80}$/, "want a name as the program lists it").optional()
    .describe("A voice of that program; absent: English of the program's choice"),
  rate_words_per_minute: z.int().min(80).max(450).default(175).describe("How fast it speaks"),
  volume_percent: z.int().min(0).max(200).default(100).describe("How loud, where the program can"),
  max_words: z.int().min(10).max(200).default(40).describe("Words of one utterance; the rest is and N more"),
  max_words_per_minute: z.int().min(10).max(450).default(150)
    .describe("Words said in any minute; max_words of it are kept for critical alerts"),
  max_age_s: seconds(30, 1, 3_600).describe(
    "An alert that could not be said for so long is dropped and counted",
  ),
  group_wait_s: seconds(1, 0, 60).describe("How long the first alert waits for others; critical ones do not"),
  max_queued: z.int().min(1).max(1_000).default(200)
    .describe("Alerts that wait to be said; then the least urgent and oldest is dropped and counted"),
  dry_run: z.boolean().default(false).describe("Say nothing, log what would be said"),
  webhook: WEBHOOK.optional().describe("Alerts also go there; absent: nowhere"),
  rules: RULES,
}).superRefine((config, context) => {
  const complain = (key: string, message: string) =>
    context.addIssue({ code: "custom", path: [key], message });
  if (config.engine === "none" && !config.webhook) complain("engine", "must not be none without a webhook");
  if (config.max_words > config.max_words_per_minute) {
    complain("max_words", `must be at most max_words_per_minute, which is ${config.max_words_per_minute}`);
  }
});
export type SpeakConfig = z.output<typeof SPEAK_SCHEMA>;

export const speak = defineSink({
  name: "speak",
  summary: "Alerts by rules, spoken through the system's voice and posted to a webhook",
  schema: SPEAK_SCHEMA,
  permissions: ["run"],
  async connect(config, context) {
    const { SpeakSink } = await import("./speak/speak_sink.ts");
    const { url, secret } = config.webhook ?? {};
    if (secret !== undefined) knownSecrets.add(secret);
    if (url !== undefined) {
      const { pathname, search } = new URL(url);
      // a short path is an ordinary word of other lines, and no secret
      if (`${pathname}${search}`.length >= 16) knownSecrets.add(`${pathname}${search}`);
    }
    return new SpeakSink(config, context);
  },
});
