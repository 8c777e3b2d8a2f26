/** What may go wrong in a workflow without a run showing it: moving actions, secrets in scripts, rights nobody needs. */

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}
export interface Workflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  jobs: Record<string, {
    "runs-on"?: string;
    uses?: string;
    "timeout-minutes"?: number;
    permissions?: Record<string, string>;
    strategy?: { matrix: Record<string, string[]> };
    steps?: Step[];
  }>;
}

const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;

/** `text` is the file's own, for the comments that name the versions of pinned actions. */
export function lintWorkflow(workflow: Workflow, text: string): string[] {
  const faults: string[] = [];
  const want = (is_fine: boolean, fault: string) => void (is_fine || faults.push(fault));
  want(JSON.stringify(workflow.permissions) === '{"contents":"read"}', "rights: want contents: read for all");
  want(!("pull_request_target" in workflow.on), "pull_request_target runs strangers' code with our rights");
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const runners = [job["runs-on"] ?? "", ...job.strategy?.matrix.os ?? []];
    want(!runners.some((one) => one.endsWith("-latest")), `${name}: a runner that moves`);
    if (job.uses) {
      want(job.uses.startsWith("./"), `${name}: another repository's workflow`);
      continue;
    }
    want(job["timeout-minutes"] !== undefined, `${name}: no time limit`);
    for (const [at, step] of (job.steps ?? []).entries()) {
      const where = `${name}, step ${at + 1}`;
      want((step.uses === undefined) !== (step.run === undefined), `${where}: want uses or run`);
      if (step.uses !== undefined) {
        want(PINNED.test(step.uses), `${where}: ${step.uses} is not pinned by a full commit`);
        want(
          new RegExp(`uses: ${step.uses.replaceAll(".", "\\.")} # v\\d+\\.\\d+\\.\\d+$`, "m").test(text),
          `${where}: no version beside the commit`,
        );
        if (step.uses.startsWith("actions/checkout@")) {
          want(step.with?.["persist-credentials"] === false, `${where}: leaves the token in the clone`);
        }
      }
      want(!/\$\{\{/.test(step.run ?? ""), `${where}: an expression inside a script, want it in env`);
      want(!/\bset -x\b/.test(step.run ?? ""), `${where}: prints what it runs`);
      for (const [key, value] of Object.entries(step.env ?? {})) {
        want(!/secrets\./.test(value), `${where}: ${key} takes a secret of the repository`);
      }
    }
  }
  return faults;
}
