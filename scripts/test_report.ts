/**
 * Counts what a test run did, from deno's JUnit file: the closing line, and each skipped test with its reason.
 */

export interface TestReport {
  passed: number;
  failed: number;
  /** Names as tests gave them; the reason stands in the name: `… [skipped: no Redis]`. */
  skipped: readonly string[];
}

/** Reads the JUnit text that `deno test --junit-path` writes. */
export function readTestReport(junit: string): TestReport {
  const cases = [...junit.matchAll(/<testcase\b([^>]*?)(?:\/>|>[\s\S]*?<\/testcase>)/g)].map((found) => ({
    name: unescape(/\bname="([^"]*)"/.exec(found[1])?.[1] ?? "?"),
    body: found[0],
  }));
  const names = new Set(cases.map(({ name }) => name));
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  for (const { name, body } of cases) {
    if (isStep(name, names)) continue;
    if (/<(?:failure|error)\b/.test(body)) failed++;
    else if (/<skipped\b/.test(body)) skipped.push(name);
    else passed++;
  }
  return { passed, failed, skipped };
}

/** Steps are listed as `test > step`; they count with their test. */
function isStep(name: string, names: ReadonlySet<string>): boolean {
  for (let at = name.indexOf(" > "); at >= 0; at = name.indexOf(" > ", at + 1)) {
    if (names.has(name.slice(0, at))) return true;
  }
  return false;
}

/** `12 passed, 0 failed, 3 skipped` */
export function closingLine(report: TestReport): string {
  return `${report.passed} passed, ${report.failed} failed, ${report.skipped.length} skipped`;
}

function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'").replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}
