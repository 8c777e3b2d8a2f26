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
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  for (const [whole, attributes] of junit.matchAll(/<testcase\b([^>]*?)(?:\/>|>[\s\S]*?<\/testcase>)/g)) {
    if (/<(?:failure|error)\b/.test(whole)) failed++;
    else if (/<skipped\b/.test(whole)) {
      skipped.push(unescape(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? "?"));
    } else passed++;
  }
  return { passed, failed, skipped };
}

/** `12 passed, 0 failed, 3 skipped` */
export function closingLine(report: TestReport): string {
  return `${report.passed} passed, ${report.failed} failed, ${report.skipped.length} skipped`;
}

function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'").replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}
