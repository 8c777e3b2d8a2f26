/** Config values and Debian's `age`: each opens what the other closed. */
import assert from "node:assert/strict";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { open, seal } from "../../../../lib/formats/encrypted_value/token.ts";
import { serviceTest } from "../../../services.ts";

async function runAge(program: string, args: string[], input: Uint8Array): Promise<Uint8Array> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(input);
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return stdout;
}

serviceTest("age", "a value closed here opens in age, and the other way", async (program) => {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const key = await Deno.makeTempFile({ prefix: "mdg-age-" });
  try {
    await Deno.writeTextFile(key, identity);
    const token = await seal({ value: 'pä"ss', path: "/a/0" }, encrypter);
    const file = Uint8Array.fromBase64(token.slice("ENC[age,".length, -1), { alphabet: "base64url" });
    const plain = new TextDecoder().decode(await runAge(program, ["-d", "-i", key], file));
    assert.deepEqual(JSON.parse(plain), { mdg: 1, value: 'pä"ss', path: "/a/0" });
    const theirs = await runAge(
      program,
      ["-r", recipient],
      new TextEncoder().encode('{"mdg":1,"value":"x y"}'),
    );
    const wrapped = `ENC[age,${theirs.toBase64({ alphabet: "base64url", omitPadding: true })}]`;
    assert.equal((await open(wrapped, decrypter)).value, "x y");
  } finally {
    await Deno.remove(key);
  }
});
