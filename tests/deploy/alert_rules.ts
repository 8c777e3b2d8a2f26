/** The alert rules of deploy/prometheus, as data. */
import { parse } from "yaml";
import { path } from "../mdg_process.ts";

export interface AlertRule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string };
}

export interface RuleFile {
  groups: { rules: AlertRule[] }[];
}

export const RULES_FOLDER = path("deploy/prometheus");

/** As the file has them; a fresh copy each time. */
export function ruleFile(): RuleFile {
  return parse(Deno.readTextFileSync(`${RULES_FOLDER}/alerts.yml`));
}

export function alertRules(): AlertRule[] {
  return ruleFile().groups.flatMap(({ rules }) => rules);
}
