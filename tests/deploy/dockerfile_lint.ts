/**
 * What hadolint would say of a Dockerfile, as far as it concerns ours, and what this house wants of one: bases with a
 * version, a result without root, shell forms and secrets. Pure: text in, complaints out.
 */

interface Instruction {
  word: string;
  rest: string;
  line: number;
  /** Number of its stage; -1 before the first FROM. */
  stage: number;
}

export function readDockerfile(text: string): Instruction[] {
  const found: Instruction[] = [];
  let stage = -1;
  let open: { text: string; line: number } | undefined;
  for (const [i, raw] of text.split("\n").entries()) {
    if (raw.trim() === "" || /^\s*#/.test(raw)) continue;
    const { text: before, line } = open ?? { text: "", line: i + 1 };
    if (/\\\s*$/.test(raw)) {
      open = { text: before + raw.replace(/\\\s*$/, " "), line };
      continue;
    }
    open = undefined;
    const [, word, rest] = /^\s*(\w+)\s+(.*)$/s.exec(before + raw) ?? [];
    if (word === undefined) continue;
    if (word === "FROM") stage++;
    found.push({ word, rest: rest.trim(), line, stage });
  }
  return found;
}

/** Base images with the defaults of ARGs put in; names of earlier stages left out. */
export function baseImages(instructions: readonly Instruction[]): { image: string; line: number }[] {
  const defaults = new Map<string, string>();
  const stages = new Set<string>();
  const images: { image: string; line: number }[] = [];
  for (const { word, rest, line, stage } of instructions) {
    if (word === "ARG" && stage === -1) {
      const [name, value = ""] = rest.split("=", 2);
      defaults.set(name, value);
    }
    if (word !== "FROM") continue;
    const [, named, alias] = /^(?:--platform=\S+ )?(\S+)(?: AS (\S+))?$/i.exec(rest) ?? [];
    const image = (named ?? rest).replace(/\$\{?(\w+)\}?/g, (_, name) => defaults.get(name) ?? "");
    if (!stages.has(image)) images.push({ image, line });
    if (alias) stages.add(alias);
  }
  return images;
}

const SECRET_NAME = /PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY/i;

/** `line N: rule`, in the order of the file. */
export function lintDockerfile(text: string): string[] {
  const instructions = readDockerfile(text);
  const complaints = [
    ...instructions.flatMap((one) => aboutOne(one).map((rule) => `line ${one.line}: ${rule}`)),
    ...aboutBases(instructions),
    ...aboutResult(instructions),
  ];
  return complaints;
}

function aboutOne({ word, rest }: Instruction): string[] {
  const rules: [broken: boolean, rule: string][] = [
    [word === "ADD", "ADD, want COPY"],
    [word === "MAINTAINER", "MAINTAINER, want a label"],
    [word === "WORKDIR" && !/^[/$]/.test(rest), "WORKDIR is relative, want an absolute path"],
    [(word === "CMD" || word === "ENTRYPOINT") && !isWords(rest), `${word} goes through a shell, want ["…"]`],
    [(word === "ENV" || word === "ARG") && SECRET_NAME.test(rest.split("=")[0]), `${word} keeps a secret`],
    [word === "RUN" && /\bsudo\b/.test(rest), "RUN with sudo"],
    [word === "RUN" && /(^|&&|;)\s*cd\s/.test(rest), "RUN with cd, want WORKDIR"],
    [
      word === "RUN" && /[^|]\|[^|]/.test(rest.replace(/"[^"]*"/g, "")) && !/case .* in/.test(rest) &&
      !/pipefail/.test(rest),
      "RUN with a pipe hides failures, want set -o pipefail",
    ],
    [
      word === "RUN" && /\bapt-get install\b/.test(rest) &&
      !(/--no-install-recommends/.test(rest) && /rm -rf \/var\/lib\/apt\/lists/.test(rest)),
      "apt-get install, want --no-install-recommends and the lists removed",
    ],
    [word === "RUN" && /\b(curl|wget)\b[^|]*\|\s*(ba)?sh\b/.test(rest), "RUN runs what it downloads"],
    [word === "EXPOSE" && /\b(22|23)\b/.test(rest), "EXPOSE of a remote shell"],
    [word === "HEALTHCHECK" && /\b(curl|wget)\b/.test(rest), "HEALTHCHECK needs curl, want the binary's own"],
  ];
  return rules.filter(([broken]) => broken).map(([, rule]) => rule);
}

function isWords(rest: string): boolean {
  try {
    return Array.isArray(JSON.parse(rest));
  } catch {
    return false;
  }
}

function aboutBases(instructions: readonly Instruction[]): string[] {
  return baseImages(instructions).flatMap(({ image, line }) => {
    if (image === "scratch") return [];
    const [, tag] = /^[^:@]+(?::\d+\/[^:@]+)?(?::([^@/]+))?(?:@sha256:[0-9a-f]{64})?$/.exec(image) ?? [];
    if (image.includes("@sha256:")) return [];
    if (tag === undefined) return [`line ${line}: base ${image} without a tag`];
    return tag === "latest" ? [`line ${line}: base ${image}, want a version`] : [];
  });
}

/** What holds for the last stage alone. */
function aboutResult(instructions: readonly Instruction[]): string[] {
  const last = Math.max(...instructions.map(({ stage }) => stage));
  const result = instructions.filter(({ stage }) => stage === last);
  const of = (word: string) => result.filter((one) => one.word === word);
  const user = of("USER").at(-1)?.rest ?? "root";
  const rules: [broken: boolean, rule: string][] = [
    [last < 1, "one stage only: the compiler would be in the result"],
    [!/^[1-9]\d{2,}(:[1-9]\d*)?$/.test(user), `runs as ${user}, want a user's number above 99`],
    [of("HEALTHCHECK").length !== 1, "want one HEALTHCHECK"],
    [of("HEALTHCHECK").some(({ rest }) => !/CMD \[/.test(rest)), 'HEALTHCHECK wants CMD ["…"]'],
    [of("ENTRYPOINT").length !== 1 || of("CMD").length !== 1, "want one ENTRYPOINT and one CMD"],
    [!of("LABEL").some(({ rest }) => /image\.version=/.test(rest)), "want a label with the version"],
    [of("COPY").some(({ rest }) => !rest.includes("--from=")), "the result copies sources, want --from only"],
    [of("RUN").length > 0, "the result runs something, and has no shell"],
  ];
  return rules.filter(([broken]) => broken).map(([, rule]) => `result: ${rule}`);
}
