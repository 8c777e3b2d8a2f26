/** The workflows: read, linted, and the same gate as .ci/run. Each rule is one that a bad workflow breaks. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { TARGETS } from "../../scripts/compile.ts";
import { path } from "../mdg_process.ts";
import { lintWorkflow, type Workflow } from "./workflow_lint.ts";

const FOLDER = path(".github/workflows");
const texts = new Map(
  [...Deno.readDirSync(FOLDER)].map(({ name }) => [name, Deno.readTextFileSync(`${FOLDER}/${name}`)]),
);
const workflow = (name: string): Workflow => parse(texts.get(name)!);
const gate = Deno.readTextFileSync(path(".ci/run"));
const stepsOf = (one: Workflow) => Object.values(one.jobs).flatMap(({ steps = [] }) => steps);

for (const [name, text] of texts) {
  Deno.test(`${name} has no complaint`, () => assert.deepEqual(lintWorkflow(parse(text), text), []));
}

Deno.test("the gate is .ci/run itself, in a place where it can have its services", () => {
  const { gate } = workflow("ci.yml").jobs as Record<
    string,
    { steps: { run?: string }[]; container?: { image: string } }
  >;
  assert.equal(gate.steps.at(-1)!.run, ".ci/run");
  assert.match(gate.container!.image, /^debian:\d+$/);
});

Deno.test("every machine has the Deno of the gate", () => {
  const wanted = /npx -y deno@([\d.]+)/.exec(gate)![1];
  for (const name of texts.keys()) {
    const versions = stepsOf(workflow(name)).flatMap((step) =>
      step.uses?.startsWith("denoland/setup-deno@") ? [step.with?.["deno-version"]] : []
    );
    assert.ok(versions.length > 0 && versions.every((one) => one === wanted), `${name}: ${versions}`);
  }
});

Deno.test("what runs elsewhere are commands that the gate or deno.json has", async () => {
  const { default: manifest } = await import("../../deno.json", { with: { type: "json" } });
  for (const name of texts.keys()) {
    for (const { run = "" } of stepsOf(workflow(name))) {
      for (const [, task] of run.matchAll(/deno task (?:-q )?(\w+)/g)) {
        assert.ok(task in manifest.tasks, `${name}: deno task ${task}`);
      }
      for (const [file] of run.matchAll(/(?:tests|deploy)\/[\w./]+/g)) Deno.statSync(path(file));
    }
  }
});

Deno.test("releases are of all targets, with checksums and a bill of materials", () => {
  const { jobs } = workflow("release.yml");
  assert.deepEqual(jobs.binaries.strategy?.matrix.target, TARGETS);
  const runs = stepsOf(workflow("release.yml")).map(({ run }) => run ?? "").join("\n");
  assert.match(runs, /sha256sum/);
  assert.match(runs, /deno task -q sbom/);
  // five binaries and the bill
  assert.match(runs, new RegExp(`-eq ${TARGETS.length + 1}\\b`));
});

const GOOD = `on: { push: {} }
permissions: { contents: read }
jobs:
  one:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with: { persist-credentials: false }
      - run: make
        env: { A: b }
`;
const BAD: [what: string, from: string, to: string][] = [
  ["an action by tag", "@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@v4"],
  ["an action by a short commit", "@11bd71901bbe5b1630ceea73d27597364c9af683", "@11bd719"],
  ["a commit without its version", " # v4.2.2", ""],
  ["a secret in a script", "run: make", 'run: "make ${{ secrets.TOKEN }}"'],
  ["an expression in a script", "run: make", 'run: "make ${{ github.event.issue.title }}"'],
  ["a secret in the environment", "A: b", 'A: "${{ secrets.TOKEN }}"'],
  ["all rights", "permissions: { contents: read }\n", ""],
  ["too many rights", "contents: read", "contents: write"],
  ["a runner that moves", "ubuntu-24.04", "ubuntu-latest"],
  ["no time limit", "    timeout-minutes: 5\n", ""],
  ["strangers' code", "push: {}", "pull_request_target: {}"],
  ["a token left behind", "persist-credentials: false", "persist-credentials: true"],
  ["a trace of commands", "run: make", "run: set -x; make"],
];

Deno.test("a good workflow has no complaint", () => assert.deepEqual(lintWorkflow(parse(GOOD), GOOD), []));

for (const [what, from, to] of BAD) {
  Deno.test(`the linter sees ${what}`, () => {
    assert.ok(GOOD.includes(from));
    const text = GOOD.replace(from, () => to);
    assert.ok(lintWorkflow(parse(text), text).length > 0);
  });
}
