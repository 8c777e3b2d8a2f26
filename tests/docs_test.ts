/**
 * The documents against the program: links lead somewhere, commands and flags exist, keys of configs are ones that the
 * schema takes, what is generated is fresh. A flag that is renamed fails here wherever a document still has the old name.
 */
import assert from "node:assert/strict";
import { FEEDS } from "../lib/gateway/catalog.ts";
import { configurationPage } from "../scripts/docs.ts";
import { checkCommands, checkInlineCommands } from "./docs/check_commands.ts";
import { checkLinks, type Documents } from "./docs/check_links.ts";
import { checkMetrics } from "./docs/check_metrics.ts";
import { checkTasks } from "./docs/check_tasks.ts";
import { checkYaml } from "./docs/check_yaml.ts";
import { listDocuments } from "./docs/documents.ts";
import { path } from "./mdg_process.ts";

const documents = await listDocuments();

function noProblems(problems: readonly string[]): void {
  assert.equal(problems.join("\n"), "");
}

Deno.test("there are documents", () => {
  for (
    const name of ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/operations.md", "lib/README.md"]
  ) {
    assert.ok(documents.has(name), name);
  }
});

Deno.test("links lead to files and headings that exist", () => noProblems(checkLinks(documents)));

Deno.test("commands in code blocks are ones that mdg takes", () => noProblems(checkCommands(documents)));

Deno.test("commands in sentences have words and flags that exist", () =>
  noProblems(checkInlineCommands(documents)));

Deno.test("tasks, test folders and programs of the repository exist", () =>
  noProblems(checkTasks(documents)));

Deno.test("metrics that are named exist", () => noProblems(checkMetrics(documents)));

Deno.test("YAML in the documents is what the schemas take", async () => {
  noProblems(await checkYaml(documents));
});

Deno.test("docs/configuration.md is fresh: deno task docs", async () => {
  assert.equal(documents.get("docs/configuration.md"), await configurationPage());
});

Deno.test("each alert is explained in docs/operations.md, and no other", () => {
  const rules = [...Deno.readDirSync(path("deploy/prometheus"))].filter(({ name }) =>
    /^alerts\.ya?ml$/.test(name)
  )
    .map(({ name }) => Deno.readTextFileSync(path(`deploy/prometheus/${name}`))).join("\n");
  const named = [...rules.matchAll(/^ *- alert: (\w+)/gm)].map(([, name]) => name);
  const explained = [...documents.get("docs/operations.md")!.matchAll(/^\| `(Mdg\w+)`/gm)].map(([, name]) =>
    name
  );
  if (rules !== "") assert.deepEqual(explained.toSorted(), named.toSorted());
});

Deno.test("docs/venues.md has each venue, its host, channels and limits", () => {
  const text = documents.get("docs/venues.md")!;
  for (const [name, feed] of Object.entries(FEEDS)) {
    const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\``)) ?? "";
    const cells = row.split("|").map((cell) => cell.trim());
    const { max_streams_per_connection, max_messages_per_second, max_silence_ms } = feed.limits;
    assert.deepEqual(cells.slice(2, 6), [
      feed.summary,
      `\`${new URL(feed.endpoints.ws_url).host}\``,
      feed.channels.join(" "),
      `${max_streams_per_connection} · ${max_messages_per_second}/s · ${max_silence_ms / 1_000} s`,
    ], name);
  }
});

Deno.test("every document is reached from the README", () => {
  const reached = new Set<string>();
  const waiting = ["README.md"];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (reached.has(name) || !documents.has(name)) continue;
    reached.add(name);
    for (const [, target] of documents.get(name)!.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (!target.includes(":")) waiting.push(new URL(target, `file:///${name}`).pathname.slice(1));
    }
  }
  const unreached = [...documents.keys()].filter((name) =>
    !reached.has(name) && !name.startsWith("fixtures/")
  );
  noProblems(unreached.map((name) => `${name}: no link leads there from README.md`));
});

Deno.test("the checks find what is wrong", async () => {
  const bad: Documents = new Map([
    [
      "README.md",
      "# A head\n[gone](gone.md) [no heading](#another-head) [fine](#a-head) [file](main.ts)\n" +
      "```sh\nmdg run --confg x.yaml | cat\nX=1 mdg nothing\nmdg config check a.yaml # fine\n" +
      "deno task nothing\ndeno test -A tests/nothing\n```\n`mdg run --no-such FILE` `mdg zip -o FILE`\n" +
      "```yaml\nsources: [{ kind: simulator, symbol: [BTCUSD] }]\n```\n" +
      "```yaml\nno_such_key: 1\n```\n`made_up_total` `book_resyncs_total`\n",
    ],
  ]);
  const found = [
    ...checkLinks(bad, (name) => name === "main.ts"),
    ...checkCommands(bad),
    ...checkInlineCommands(bad),
    ...checkTasks(bad),
    ...checkMetrics(bad),
    ...await checkYaml(bad),
  ];
  for (
    const part of [
      /README\.md:2: link "gone\.md"/,
      /README\.md:2: link "#another-head"/,
      /README\.md:4: .*--confg/,
      /README\.md:5: .*nothing/,
      /README\.md:7: task "nothing"/,
      /README\.md:8: .*tests\/nothing/,
      /README\.md:10: .*--no-such/,
      /README\.md:12: .*symbol/,
      /README\.md:15: .*no_such_key/,
      /README\.md:17: made_up_total/,
    ]
  ) assert.ok(found.some((one) => part.test(one)), `${part} in\n${found.join("\n")}`);
  assert.equal(found.length, 10, found.join("\n"));
});

Deno.test("what the checks read is what is on the disk", () => {
  assert.equal(documents.get("README.md"), Deno.readTextFileSync(path("README.md")));
});
