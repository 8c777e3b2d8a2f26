/**
 * The house rules over a whole tree of sources, real or made up. Pure: text in, problems out, so the checker itself is
 * tested on deliberately bad trees.
 */
import { checkText } from "./check_text.ts";
import { BANS, EAGER_PACKAGES, LAYERS, OUTBUILDINGS, REGISTRY_READERS } from "./house.ts";
import type { Problem, Tree } from "./problem.ts";
import { readSourceFacts, type SourceFacts } from "./source_facts.ts";

export interface CheckOptions {
  /** Files where reaching starts. */
  roots: readonly string[];
  pending: readonly string[];
}

interface Checked {
  facts: ReadonlyMap<string, SourceFacts>;
  /** path → paths it imports. */
  edges: ReadonlyMap<string, readonly string[]>;
}

export function checkTree(tree: Tree, options: CheckOptions): Problem[] {
  const facts = new Map([...tree].map(([path, source]) => [path, readSourceFacts(path, source)]));
  const edges = new Map([...facts].map(([path, { imports }]) => [
    path,
    imports.map(({ specifier }) => resolve(path, specifier)).filter((to) => to !== undefined),
  ]));
  const problems: Problem[] = [];
  for (const [path, source] of tree) {
    const own = facts.get(path)!;
    problems.push(...checkText(path, source, own), ...checkImports(path, own), ...checkUses(path, own));
  }
  const unregistered = checkRegistries({ facts, edges });
  const named = new Set(unregistered.filter(({ rule }) => rule === "unregistered").map(({ path }) => path));
  problems.push(...unregistered, ...checkUnused({ facts, edges }, options, named));
  return [...problems, ...checkEager(facts)];
}

/** What main.ts loads before a command is chosen makes every start slow. */
function checkEager(facts: ReadonlyMap<string, SourceFacts>): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const waiting = ["main.ts"];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const { specifier, line, is_eager } of facts.get(path)?.imports ?? []) {
      if (!is_eager) continue;
      const target = resolve(path, specifier);
      if (target !== undefined) waiting.push(target);
      else if (!specifier.includes(":") && !EAGER_PACKAGES.includes(specifier)) {
        problems.push({
          path,
          line,
          rule: "eager import",
          problem: `main.ts loads "${specifier}" before a command is chosen`,
          remedy: "reach it by a literal import() inside the command's run",
        });
      }
    }
  }
  return problems;
}

/** The room a path belongs to: `main.ts`, `commands`, `lib/sinks`, `tests`. */
export function roomOf(path: string): string {
  const segments = path.split("/");
  return segments[0] === "lib" ? segments.slice(0, 2).join("/") : segments[0];
}

/** The path that a relative specifier means; undefined for packages. */
export function resolve(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function checkImports(path: string, facts: SourceFacts): Problem[] {
  const from = roomOf(path);
  if (OUTBUILDINGS.includes(from)) return [];
  if (LAYERS[from] === undefined) {
    return [{
      path,
      line: 0,
      rule: "unknown room",
      problem: `"${from}" is on no layer`,
      remedy: "move the file into a room of the house, or give the room a layer in tests/tidy/house.ts",
    }];
  }
  return facts.imports.flatMap(({ specifier, line }): Problem[] => {
    if (/^(npm|jsr|https?|data):/.test(specifier)) {
      return [{
        path,
        line,
        rule: "outside import",
        problem: `"${specifier}"`,
        remedy: "add it to the imports of deno.json with an exact version and import its bare name",
      }];
    }
    const target = resolve(path, specifier);
    if (target === undefined || !/\.tsx?$/.test(target)) return [];
    return checkEdge({ path, line }, from, target);
  });
}

function checkEdge(at: { path: string; line: number }, from: string, target: string): Problem[] {
  const to = roomOf(target);
  if (/^(lib\/[^/]+|commands)\/registry\.ts$/.test(target) && from !== to) {
    const reader = to === "commands" ? "main.ts" : REGISTRY_READERS[to] ?? "lib/gateway";
    if (from !== reader) {
      return [{
        ...at,
        rule: "registry reader",
        problem: `reads "${target}", which only ${reader} may`,
        remedy: `ask ${reader} for what is needed, or take it as a parameter`,
      }];
    }
  }
  if (from === to || LAYERS[to] < LAYERS[from]) return [];
  if (to.startsWith("lib/") && LAYERS[to] === undefined) return []; // told once, as an unknown room
  const direction = LAYERS[to] === undefined ? "outside" : LAYERS[to] === LAYERS[from] ? "sideways" : "up";
  return [{
    ...at,
    rule: "layers",
    problem: `${from} imports ${direction} from ${to} ("${target}")`,
    remedy: "move what both need to a lower layer, or pass it in as a parameter",
  }];
}

function checkUses(path: string, facts: SourceFacts): Problem[] {
  if (path.startsWith("tests/") || path.startsWith("bench/")) return [];
  const seen = new Set<string>();
  const uses = [
    ...facts.uses,
    ...facts.imports.map(({ specifier, line }) => ({ name: specifier, line })),
  ];
  return uses.flatMap(({ name, line }): Problem[] => {
    const ban = BANS.find(({ names }) => names.includes(name));
    const allowed = ban?.only.some((place) =>
      path === place || (place.endsWith("/") && path.startsWith(place))
    );
    if (!ban || allowed || seen.has(`${name}:${line}`)) return [];
    seen.add(`${name}:${line}`);
    return [{
      path,
      line,
      rule: "banned call",
      problem: `${name} belongs to ${ban.only.join(", ")}`,
      remedy: ban.remedy,
    }];
  });
}

/** In a folder with a registry every file is a plugin on its list, or something a neighbour imports. */
function checkRegistries({ facts, edges }: Checked): Problem[] {
  const problems: Problem[] = [];
  for (const registry of [...facts.keys()].filter((path) => /(^|\/)registry\.ts$/.test(path))) {
    if (registry.startsWith("tests/")) continue;
    const folder = registry.slice(0, -"registry.ts".length);
    for (const line of facts.get(registry)!.own_statements) {
      problems.push({
        path: registry,
        line,
        rule: "registry is a barrel",
        problem: "a statement that is not `export … from`",
        remedy: "move code into the plugin; a registry holds one export line per plugin",
      });
    }
    const used = new Set([...edges].filter(([from]) => from.startsWith(folder)).flatMap(([, to]) => to));
    for (const path of facts.keys()) {
      const inner = path.startsWith(folder) ? path.slice(folder.length) : "/";
      const is_plugin_place = !inner.includes("/") || /^[^/]+\/mod\.ts$/.test(inner);
      if (!is_plugin_place || path === registry || used.has(path)) continue;
      problems.push({
        path,
        line: 0,
        rule: "unregistered",
        problem: `${registry} does not name it and no neighbour imports it`,
        remedy: `add \`export { … } from "./${inner}"\` to ${registry}, or delete the file`,
      });
    }
  }
  return problems;
}

function checkUnused(
  { facts, edges }: Checked,
  options: CheckOptions,
  named: ReadonlySet<string>,
): Problem[] {
  const reached = new Set<string>();
  const waiting = [...options.roots];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    waiting.push(...edges.get(path) ?? []);
  }
  const covers = (entry: string, path: string) =>
    entry === path || (entry.endsWith("/") && path.startsWith(entry));
  const unused = [...facts.keys()].filter((path) => !/^(tests|bench)\//.test(path) && !reached.has(path));
  const idle = options.pending.filter((entry) => !unused.some((path) => covers(entry, path)));
  return [
    ...unused.filter((path) => !named.has(path) && !options.pending.some((entry) => covers(entry, path)))
      .map((path): Problem => ({
        path,
        line: 0,
        rule: "unused",
        problem: `nothing that ${options.roots.join(", ")} reaches imports it (tests do not count)`,
        remedy:
          "wire it or delete it; if the wiring is being written, list it in PENDING (tests/tidy/house.ts)",
      })),
    ...idle.map((entry): Problem => ({
      path: "tests/tidy/house.ts",
      line: 0,
      rule: "pending hides nothing",
      problem: `"${entry}"`,
      remedy: "remove it from PENDING",
    })),
  ];
}
