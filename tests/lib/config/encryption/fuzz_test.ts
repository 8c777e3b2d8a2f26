/**
 * Encrypted configs, damaged in every way: decrypt, rekey and edit either give a right file or say where it is wrong, as a
 * UserError. Never a crash or a hang, never a file that is half of two, never a secret in the words.
 */
import assert from "node:assert/strict";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { UserError } from "../../../../lib/base/errors.ts";
import { knownSecrets } from "../../../../lib/base/known_secrets.ts";
import { Random } from "../../../../lib/base/random.ts";
import { openConfigFile, writeConfigFile } from "../../../../lib/config/encryption/config_file.ts";
import { closeConfig, openConfig } from "../../../../lib/config/encryption/edit_values.ts";
import { decryptValues, encryptValues, rekeyValues } from "../../../../lib/config/encryption/file_values.ts";
import { KeySelection } from "../../../../lib/config/encryption/key_selection.ts";
import { ConfigError } from "../../../../lib/config/problem.ts";
import { decode } from "../../../../lib/config/read_source.ts";
import { inFolder } from "../../bundle/bundle_folder.ts";
import { is_long } from "../../../services.ts";

const SECRETS = ["first-canary", "second canary\\n line", "third-canary"];
const PLAIN = {
  yaml:
    "# é\nredis: {password: first-canary, &a url: x}\nlist:\n  - token: |\n      second canary\n       line\n" +
    "  - token: third-canary # c\nencryption: {recipients: []}\n",
  json5:
    "{ // é\n redis: {password: 'first-canary', url: 'x',},\n list: [{token: 'second canary\\n line'}, " +
    '{token: "third-canary",},],\n}\n',
  json:
    '{"redis": {"password": "first-canary"}, "list": [{"token": "second canary"}, {"token": "third-canary"}]}\n',
};

const NOISE = [
  "",
  "\0",
  "\uFEFF",
  "\r",
  "\n",
  "\t",
  "[",
  "{",
  "}",
  '"',
  "'",
  ":",
  "#",
  "&a ",
  "*a",
  "!!x ",
  "<<: ",
  "ENC[age,]",
  "ENC[",
];

function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const pick = (count: number) => Math.floor(random.unit() * count);
  const at = pick(bytes.length);
  const to = Math.min(bytes.length, at + 1 + pick(60));
  const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const flipped = bytes.slice();
  switch (pick(6)) {
    case 0:
      flipped[at] ^= 1 << pick(8);
      return flipped;
    case 1: // cut out
      return joined(bytes.subarray(0, at), bytes.subarray(to));
    case 2: // cut off
      return bytes.slice(0, at);
    case 3: // doubled
      return joined(bytes.subarray(0, to), bytes.subarray(at));
    case 4: { // moved elsewhere
      const other = pick(bytes.length);
      const rest = joined(bytes.subarray(0, at), bytes.subarray(to));
      return joined(rest.subarray(0, other), bytes.subarray(at, to), rest.subarray(other));
    }
    default:
      return joined(
        bytes.subarray(0, at),
        new TextEncoder().encode(NOISE[pick(NOISE.length)]),
        bytes.subarray(at),
      );
  }
}

async function keys() {
  const identity = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return { encrypter, decrypter };
}

for (const [format, plain] of Object.entries(PLAIN)) {
  Deno.test(`damaged ${format} files are refused with a place, or rewritten whole`, () =>
    inFolder(async (folder) => {
      const { encrypter, decrypter } = await keys();
      const path = `${folder}/c.${format}`;
      await Deno.writeTextFile(path, plain);
      const quiet = { cwd: folder, stdout: () => Promise.resolve(), stderr: () => {} };
      const closed = await encryptValues(await openConfigFile(path, folder), new KeySelection([]), encrypter);
      assert.equal(closed.changed.length, 3);
      const good = new TextEncoder().encode(closed.text);
      const random = new Random(`encrypted ${format}`);
      const count = { refused: 0, taken: 0 };
      const acts = [
        async () => {
          const file = await openConfigFile(path, folder);
          await writeConfigFile(file, await decryptValues(file, undefined, decrypter), "decrypted", quiet);
        },
        async () => {
          const file = await openConfigFile(path, folder);
          await writeConfigFile(file, await rekeyValues(file, decrypter, encrypter), "anew", quiet);
        },
        async () => {
          const file = await openConfigFile(path, folder);
          const opened = await openConfig(file, undefined, decrypter);
          const source = decode(file.source.name, damaged(new TextEncoder().encode(opened.text), random));
          await writeConfigFile(
            file,
            await closeConfig({ ...file, source }, opened, { encrypter, decrypter }),
            "edited",
            quiet,
          );
        },
      ];
      for (let round = 0; round < (is_long ? 4_000 : 240); round++) {
        const bytes = round % 3 === 2 ? good : damaged(good, random);
        await Deno.writeFile(path, bytes);
        let is_taken = false;
        try {
          await acts[round % 3]();
          is_taken = true;
          count.taken++;
        } catch (error) {
          assert.ok(
            error instanceof UserError,
            `round ${round}: ${error instanceof Error ? error.stack : error}`,
          );
          assert.ok(hasPlace(error), `round ${round}: no place: ${error.message}`);
          // as it is printed: damage may have made a key of a value, and then its path tells it
          const printed = knownSecrets.mask(error.message);
          for (const secret of SECRETS) assert.ok(!printed.includes(secret), `round ${round}`);
          assert.deepEqual(await Deno.readFile(path), bytes, `round ${round}: the file changed`);
          count.refused++;
        }
        if (is_taken) await decryptsAgain(path, folder, decrypter);
        assert.deepEqual([...Deno.readDirSync(folder)].length, 1, `round ${round}: debris`);
      }
      assert.ok(count.refused > 20 && count.taken > 5, JSON.stringify(count));
    }));
}

/** What was written can be read: the rewriting is proved by the reader. */
async function decryptsAgain(path: string, folder: string, decrypter: Decrypter): Promise<void> {
  await decryptValues(await openConfigFile(path, folder), undefined, decrypter);
}

function hasPlace(error: UserError): boolean {
  if (error instanceof ConfigError) {
    return error.problems.every(({ line, column }) => line >= 1 && column >= 1);
  }
  // a file that is no text has no lines
  return /:?\d+:\d+/.test(error.message) ||
    /binary file|UTF-16|would not read as intended/.test(error.message);
}
