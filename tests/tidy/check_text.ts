/**
 * Rules that need one file only: its name, its length, its head comment, marks of unfinished work.
 */
import {
  DRAWER_WORDS,
  FIELD_TERMS,
  LONG_FUNCTIONS,
  MAX_COMMENT_LINES,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
} from "./house.ts";
import type { Problem } from "./problem.ts";
import type { SourceFacts } from "./source_facts.ts";

const SNAKE_CASE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
// written in halves, so that this file does not trip over itself
const UNFINISHED = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`);
const ONLY = new RegExp("\\.on" + "ly\\s*\\(|\\bon" + "ly:\\s*true");
const IGNORE = new RegExp("deno-lint-" + "ignore|@ts-(ignore|expect-error|nocheck)");

export function checkText(path: string, source: string, facts: SourceFacts): Problem[] {
  return [
    ...checkName(path),
    ...checkComment(path, source),
    ...checkLengths(path, source, facts),
    ...checkMarks(path, source),
  ];
}

function checkName(path: string): Problem[] {
  const problems: Problem[] = [];
  for (const segment of path.replace(/(\.d)?\.tsx?$/, "").split("/")) {
    if (!SNAKE_CASE.test(segment)) {
      problems.push({
        path,
        line: 0,
        rule: "snake_case",
        problem: `"${segment}"`,
        remedy: "name it in snake_case after the one thing it exports",
      });
    }
    const said = FIELD_TERMS.reduce((rest, term) => rest.replace(term, ""), segment);
    const drawer = said.split("_").find((word) => DRAWER_WORDS.includes(word));
    if (drawer) {
      problems.push({
        path,
        line: 0,
        rule: "drawer name",
        problem: `"${drawer}" says nothing`,
        remedy: "name it after what it holds, or move each part to the file that owns it",
      });
    }
  }
  return problems;
}

function checkComment(path: string, source: string): Problem[] {
  const comment = /^(?:#!.*\n)?\/\*\*\s*\n?([\s\S]*?)\*\//.exec(source)?.[1];
  const lines = (comment ?? "").split("\n").filter((line) => /\w/.test(line)).length;
  if (path.startsWith("tests/") || (lines >= 1 && lines <= MAX_COMMENT_LINES)) return [];
  return [{
    path,
    line: 1,
    rule: "module comment",
    problem: lines === 0 ? "none at the top" : `${lines} lines`,
    remedy: "begin the file with /** purpose, decision, refusals */ in 2 to 6 lines",
  }];
}

function checkLengths(path: string, source: string, facts: SourceFacts): Problem[] {
  const problems: Problem[] = [];
  const lines = source.trimEnd().split("\n").length;
  if (lines > MAX_FILE_LINES) {
    problems.push({
      path,
      line: 0,
      rule: "file length",
      problem: `${lines} lines, want at most ${MAX_FILE_LINES}`,
      remedy: "split it by what its parts export; a plugin becomes a folder with mod.ts",
    });
  }
  if (path.startsWith("tests/") || path.startsWith("bench/")) return problems;
  for (const { name, line, lines } of facts.functions) {
    if (lines <= MAX_FUNCTION_LINES || LONG_FUNCTIONS[`${path} ${name}`]) continue;
    problems.push({
      path,
      line,
      rule: "function length",
      problem: `${name} has ${lines} lines, want at most ${MAX_FUNCTION_LINES}`,
      remedy: "give its steps names: one function each",
    });
  }
  return problems;
}

function checkMarks(path: string, source: string): Problem[] {
  const problems: Problem[] = [];
  source.split("\n").forEach((text, i) => {
    const line = i + 1;
    const mark = UNFINISHED.exec(text)?.[0];
    if (mark) {
      problems.push({ path, line, rule: "unfinished", problem: mark, remedy: "finish it, or open an issue" });
    }
    if (path.startsWith("tests/") && ONLY.test(text)) {
      problems.push({
        path,
        line,
        rule: "only",
        problem: text.trim(),
        remedy: "remove it: it hides all other tests",
      });
    }
    if (IGNORE.test(text) && !text.includes(" -- ")) {
      problems.push({
        path,
        line,
        rule: "unexplained ignore",
        problem: text.trim(),
        remedy: "fix the cause, or end the comment with ` -- why it is right here`",
      });
    }
  });
  return problems;
}
