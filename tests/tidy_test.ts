/**
 * The house rules (lib/README.md) on the real tree, and the checker itself on trees that are bad on purpose: a rule
 * that no bad tree trips does not count as a rule.
 */
import assert from "node:assert/strict";
import manifest from "../deno.json" with { type: "json" };
import { path as repositoryPath } from "./mdg_process.ts";
import { checkTree } from "./tidy/check_tree.ts";
import { LONG_FUNCTIONS, MAX_FILE_LINES, MAX_FUNCTION_LINES, PENDING } from "./tidy/house.ts";
import { readSourceFacts } from "./tidy/source_facts.ts";
import { type Problem, problemText, type Rule } from "./tidy/problem.ts";

const FOLDERS = ["commands", "lib", "scripts", "tests", "bench"];

function readTree(): Map<string, string> {
  const tree = new Map([["main.ts", Deno.readTextFileSync(repositoryPath("main.ts"))]]);
  const walk = (folder: string) => {
    let entries: Deno.DirEntry[];
    try {
      entries = [...Deno.readDirSync(repositoryPath(folder))];
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    for (const { name, isDirectory } of entries) {
      if (isDirectory) walk(`${folder}/${name}`);
      else if (/\.tsx?$/.test(name)) {
        tree.set(`${folder}/${name}`, Deno.readTextFileSync(repositoryPath(`${folder}/${name}`)));
      }
    }
  };
  FOLDERS.forEach(walk);
  return tree;
}

Deno.test("the house keeps its rules", () => {
  const scripts = Object.values(manifest.tasks).join(" ").match(/scripts\/\w+\.ts/g) ?? [];
  const tree = readTree();
  assert.ok(tree.size > 20, "the tree was read");
  const problems = checkTree(tree, { roots: ["main.ts", ...scripts], pending: PENDING });
  assert.equal(problems.map(problemText).join("\n"), "");
});

Deno.test("each long function that is excused is long", () => {
  const tree = readTree();
  for (const entry of Object.keys(LONG_FUNCTIONS)) {
    const [path, name] = entry.split(" ");
    const { functions } = readSourceFacts(path, tree.get(path) ?? "");
    const lines = functions.find((one) => one.name === name)?.lines ?? 0;
    assert.ok(lines > MAX_FUNCTION_LINES, `${entry}: ${lines} lines; remove it from LONG_FUNCTIONS`);
  }
});

const HEAD = "/** Made up for this test. */\n";
const REGISTRY = `${HEAD}export { a } from "./a.ts";\n`;
const MAIN = `${HEAD}import "./commands/registry.ts";\n`;
const COMMAND = `${HEAD}import "../lib/gateway/run.ts";\nexport const a = 1;\n`;
const GATEWAY = `${HEAD}import "../sinks/registry.ts";\n`;
const SINK =
  `${HEAD}import type { Clock } from "../base/clock.ts";\nexport const a = "Deno.exit(1)"; // console\n`;
const CLOCK = `${HEAD}export const now = () => Date.now();\n`;

/** A small house without a fault, with `changes` made to it; undefined removes a file. */
function house(changes: Record<string, string | undefined> = {}): Map<string, string> {
  const tree = new Map([
    ["main.ts", MAIN],
    ["commands/registry.ts", REGISTRY],
    ["commands/a.ts", COMMAND],
    ["lib/gateway/run.ts", GATEWAY],
    ["lib/sinks/registry.ts", REGISTRY],
    ["lib/sinks/a.ts", SINK],
    ["lib/base/clock.ts", CLOCK],
  ]);
  for (const [path, source] of Object.entries(changes)) {
    if (source === undefined) tree.delete(path);
    else tree.set(path, source);
  }
  return tree;
}

function check(tree: Map<string, string>, pending: string[] = []): Problem[] {
  return checkTree(tree, { roots: ["main.ts"], pending });
}

const many_lines = (count: number) => "\n// more".repeat(count);
const sink = (body: string) => house({ "lib/sinks/a.ts": `${HEAD}import "../base/clock.ts";\n${body}\n` });

/** Each rule with trees that break it and nothing else, told in the words of the tree's fault. */
const BAD: Record<Exclude<Rule, "pending hides nothing">, Record<string, Map<string, string>>> = {
  "layers": {
    "sideways": house({
      "lib/servers/registry.ts": REGISTRY,
      "lib/servers/a.ts": `${HEAD}import type { A } from "../sinks/a.ts";`,
      "lib/gateway/run.ts": GATEWAY + `import "../servers/registry.ts";`,
    }),
    "up, type only": sink(`import type { A } from "../gateway/run.ts";`),
    "up, in a type": sink(`type A = import("../gateway/run.ts").A;`),
    "up, dynamic": sink(`await import("../gateway/run.ts");`),
    "up, re-exported": sink(`export * from "../gateway/run.ts";`),
    "up, as a Worker": sink(`new Worker(new URL("../gateway/run.ts", import.meta.url));`),
    "into the tests": sink(`import "../../tests/services.ts";`),
  },
  "unknown room": {
    "no layer": house({ "lib/cellar/a.ts": HEAD, "main.ts": MAIN + `import "./lib/cellar/a.ts";` }),
  },
  "outside import": { "inline npm": sink(`import "npm:left-pad@1.0.0";`) },
  "eager import": { "a heavy package": house({ "commands/a.ts": COMMAND + `import { z } from "zod";` }) },
  "registry reader": {
    "a command reads sinks": house({ "commands/a.ts": COMMAND + `import "../lib/sinks/registry.ts";` }),
    "the gateway reads monitors": house({
      "lib/monitors/registry.ts": REGISTRY,
      "lib/monitors/a.ts": SINK,
      "lib/gateway/run.ts": GATEWAY + `import "../monitors/registry.ts";`,
    }),
  },
  "banned call": {
    "exit": sink("Deno.exit(1);"),
    "exit through globalThis": sink("globalThis.Deno.exit(1);"),
    "exit by destructuring": sink("const { exit } = Deno;"),
    "exit by name": sink(`Deno["exit"](1);`),
    "timer": sink("setTimeout(() => {}, 1);"),
    "timer handed on": sink("promisify(setTimeout);"),
    "timer module": sink(`import "node:timers/promises";`),
    "now": sink("export const t = Date.now();"),
    "new Date()": sink("export const t = new Date();"),
    "hidden timer": sink("fetch(u, { signal: AbortSignal.timeout(5) });"),
    "console": sink("console.log(1);"),
    "environment": sink("export const home = Deno.env.get('HOME');"),
    "native": sink("Deno.dlopen('libc.so.6', {});"),
    "chance": sink("export const r = Math.random();"),
  },
  "unregistered": {
    "forgotten line": house({ "lib/sinks/b.ts": HEAD }),
    "forgotten folder": house({ "lib/sinks/b/mod.ts": HEAD }),
  },
  "registry is a barrel": {
    "code in it": house({ "lib/sinks/registry.ts": `${REGISTRY}export const b = 2;` }),
  },
  "unused": {
    "nobody imports it": house({ "lib/market/order_book.ts": HEAD }),
    "only a test does": house({
      "lib/market/order_book.ts": HEAD,
      "tests/lib/market/order_book_test.ts": `import "../../../lib/market/order_book.ts";`,
    }),
  },
  "file length": { "too long": sink(many_lines(MAX_FILE_LINES)) },
  "function length": {
    "too long": sink(`export function long() {${many_lines(MAX_FUNCTION_LINES)}\n}`),
  },
  "drawer name": {
    "file": house({ "commands/a_utils.ts": HEAD, "commands/a.ts": `${COMMAND}import "./a_utils.ts";` }),
    "folder": house({ "lib/sinks/common/a.ts": HEAD, "lib/sinks/a.ts": `${SINK}import "./common/a.ts";` }),
  },
  "snake_case": {
    "camel": house({ "commands/theRest.ts": HEAD, "commands/a.ts": `${COMMAND}import "./theRest.ts";` }),
    "kebab": house({ "commands/the-rest.ts": HEAD, "commands/a.ts": `${COMMAND}import "./the-rest.ts";` }),
  },
  "module comment": {
    "none": house({ "lib/base/clock.ts": "export const now = () => Date.now();" }),
    "a line comment": house({ "lib/base/clock.ts": "// the clock\nexport const now = () => Date.now();" }),
    "a novel": house({ "lib/base/clock.ts": `/**${"\n * word".repeat(20)}\n */\n` }),
  },
  "unfinished": { "a mark": sink("// TO" + "DO later") },
  "only": { "in a test": house({ "tests/a_test.ts": "Deno.test.on" + "ly('x', () => {});" }) },
  "unexplained ignore": { "no reason": sink("// deno-lint-" + "ignore no-explicit-any") },
};

Deno.test("a house without a fault has no problems", () => {
  assert.deepEqual(check(house()), []);
});

for (const [rule, trees] of Object.entries(BAD)) {
  assert.ok(Object.keys(trees).length > 0, `${rule} has a bad tree`);
  for (const [what, tree] of Object.entries(trees)) {
    Deno.test(`tidy sees ${rule}: ${what}`, () => {
      const problems = check(tree);
      assert.deepEqual([...new Set(problems.map((problem) => problem.rule))], [rule]);
      assert.ok(problems.every(({ remedy }) => remedy.length > 10), "it names a remedy");
    });
  }
}

Deno.test("a heavy package that comes with import() or for its types only is fine", () => {
  const lazy = `import type { Redis } from "ioredis";\nexport const z = () => import("zod");`;
  assert.deepEqual(check(house({ "commands/a.ts": COMMAND + lazy })), []);
});

Deno.test("pending excuses what is unused, and complains when it excuses nothing", () => {
  const unwired = house({ "lib/market/order_book.ts": HEAD });
  assert.deepEqual(check(unwired, ["lib/market/"]), []);
  assert.deepEqual(check(house(), ["lib/market/"]).map(({ rule }) => rule), ["pending hides nothing"]);
});

Deno.test("a support file of a family and a Worker count as used", () => {
  const tree = sink(
    `import type { Sink } from "./sink.ts";\nnew Worker(new URL("./a_worker.ts", import.meta.url));`,
  );
  tree.set("lib/sinks/sink.ts", HEAD).set("lib/sinks/a_worker.ts", HEAD);
  assert.deepEqual(check(tree), []);
});
