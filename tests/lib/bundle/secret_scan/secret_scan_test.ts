/** Plain secrets are found by look and by key, with their line; encrypted and borrowed values pass; nothing is shown. */
import assert from "node:assert/strict";
import { UserError } from "../../../../lib/base/errors.ts";
import { AllowList } from "../../../../lib/bundle/secret_scan/allow_list.ts";
import { configFindings, isConfigName } from "../../../../lib/bundle/secret_scan/config_values.ts";
import { SecretScan } from "../../../../lib/bundle/secret_scan/secret_scan.ts";
import { TokenScanner } from "../../../../lib/bundle/secret_scan/token_scanner.ts";
import { configSchema } from "../../../../lib/gateway/config_schema.ts";

/** Made from parts, so that this file passes such scans itself. */
const SAMPLES: Record<string, string> = {
  "age-identity": "AGE-SECRET" + "-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".repeat(2).slice(0, 58),
  "private-key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
  "aws-key": "AKIA" + "ABCDEFGHIJKLMNOP",
  "github-token": "ghp_" + "a1B2".repeat(9),
  "gitlab-token": "glpat-" + "abcdefghij0123456789",
  "slack-token": "xoxb-" + "0123456789-abc",
  "google-key": "AIza" + "x".repeat(35),
  "stripe-key": "sk_live_" + "0123456789abcdef",
  "npm-token": "npm_" + "a".repeat(36),
  "mdg-key": "mdg_" + "k3v5t7qa" + "_" + "a".repeat(52),
  "ai-key": "sk-proj-" + "a".repeat(24),
  "telegram-token": "123456789:AA" + "b".repeat(33),
  "json-web-token": "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0In0" + ".c2lnbmF0dXJl",
  "url-password": "redis://user:" + "hunter2" + "@host:6379",
};

function scanned(text: string, piece_bytes = Infinity): string[] {
  const scanner = new TokenScanner("f");
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += piece_bytes) scanner.push(bytes.subarray(at, at + piece_bytes));
  scanner.end();
  return scanner.findings.map(({ line, kind }) => `${line}:${kind}`);
}

Deno.test("every kind is found, at its line, wherever the pieces are cut", () => {
  const kinds = Object.keys(SAMPLES);
  const text = kinds.map((kind, i) => `${"filler ".repeat(i * 40)}\nkey ${SAMPLES[kind]} rest`).join("\n");
  const expected = kinds.map((kind, i) => `${2 * i + 2}:${kind}`);
  for (const piece_bytes of [Infinity, 5_000, 2_500, 97, 7, 1]) {
    assert.deepEqual(scanned(text, piece_bytes), expected, `pieces of ${piece_bytes}`);
  }
});

Deno.test("what only looks a little like one, or is a placeholder, is no finding", () => {
  const harmless = [
    "AGE-SECRET-KEY-…",
    "-----BEGIN PUBLIC KEY-----",
    "https://example.com/a:b@c",
    "https://user@host",
    "redis://:${REDIS_PASSWORD}@host",
    "redis://user:***@host",
    "postgres://user:<password>@host",
    "postgres://user:%3Cpassword%3E@host",
    "AKIAshort",
    "ENC[age,YWdl]",
    "http://host:8080/x",
  ];
  for (const text of harmless) assert.deepEqual(scanned(text), [], text);
});

Deno.test("config values are told by schema and by key, in every format", () => {
  const schema = configSchema().schema;
  const found = (name: string, text: string) =>
    configFindings(name, text, schema).map(({ line, detail }) => `${line} ${detail}`);
  const yaml =
    `sinks:\n  - kind: redis\n    password: plain-one # x\n  - kind: redis\n    password: \${P}\n` +
    `api_key: ENC[age,AAAA]\nother: {token: "t", tokens: [a, b], max_tokens: 12, secret: null}\n` +
    `late: {password: "\${P:-default-one}"}\n`;
  assert.deepEqual(found("c.yaml", yaml), [
    "3 sinks[0].password",
    "7 other.token",
    "7 other.tokens[0]",
    "7 other.tokens[1]",
    "8 late.password",
  ]);
  assert.deepEqual(found("c.json5", "{password: 'x', // c\n n: {apiKey: 12345}}"), [
    "1 password",
    "2 n.apiKey",
  ]);
  assert.deepEqual(found("c.json", '{"password": ""}'), []);
  assert.deepEqual(
    found(".env", 'A=1\nexport DB_PASSWORD="x y"\nTOKEN=$OTHER\n# PASSWORD=x\nSECRET=\nTOKEN=$(cat f)'),
    [
      "2 DB_PASSWORD",
    ],
  );
  assert.deepEqual(found("a.toml", "[db]\npassword = 'x'\ntokens = 12\n"), ["2 password"]);
});

Deno.test("a config that cannot be parsed is still read line by line", () => {
  const found = configFindings(
    "c.yaml",
    "a: [\n  password: plain-one\n---\n%%%\ntoken: plain-two\n",
    undefined,
  );
  assert.deepEqual(found.map(({ line }) => line), [2, 5]);
});

Deno.test("only names of configs are read as configs", () => {
  for (const name of ["a.yaml", "x/b.JSON", ".env", "x/.env.local", "prod.env", "a.ini", "u.service"]) {
    assert.ok(isConfigName(name), name);
  }
  for (const name of ["a.ts", "envelope", "b.md", "c.yaml.gz"]) assert.ok(!isConfigName(name), name);
});

Deno.test("the verdict names file, line and kind and not the secret; allowed ones pass one by one", () => {
  const text = new TextEncoder().encode(`# c\nurl: ${SAMPLES["url-password"]}\npassword: plain-canary\n`);
  const verdictWith = (entries: string[]) => {
    const allowed = new AllowList(entries);
    const scan = new SecretScan(configSchema().schema, allowed);
    const inspector = scan.inspect({ name: "d/c.yaml", bytes: text.length });
    inspector.push(text);
    inspector.end();
    scan.verdict();
    return allowed.unused;
  };
  assert.throws(() => verdictWith([]), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /2 secrets/);
    assert.match(error.message, /d\/c\.yaml:2: url-password\n {2}d\/c\.yaml:3: config-secret \(password\)/);
    assert.doesNotMatch(error.message, /hunter2|canary/);
    return true;
  });
  assert.throws(
    () => verdictWith(["d/c.yaml:2:url-password", "d/c.yaml:2:config-secret"]),
    /1 secret in plain text/,
  );
  const all = ["d/c.yaml:2:url-password", "d/c.yaml:3:config-secret", "gone:1:aws-key"];
  assert.deepEqual(verdictWith(all), ["gone:1:aws-key"]);
  assert.throws(() => new AllowList(["c.yaml"]), UserError);
  assert.deepEqual(AllowList.entriesOf("# c\n\na b:1:aws-key # why\n"), ["a b:1:aws-key"]);
});
