/** One plain secret found in a file: where and of which kind, never what. */
export interface Finding {
  file: string;
  /** From 1. */
  line: number;
  /** A word that the allow list can name: `age-identity`, `config-secret` … */
  kind: string;
  /** For people: the key of a config value. */
  detail?: string;
}

export function findingText({ file, line, kind, detail }: Finding): string {
  return `${file}:${line}: ${kind}${detail ? ` (${detail})` : ""}`;
}
