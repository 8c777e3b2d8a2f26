/** A reader in C, in another process, proves each event and each book that it took. `--long`: ten million. */
import assert from "node:assert/strict";
import { is_long, serviceTest } from "../../../services.ts";
import { compileReader, witness } from "./c_reader.ts";

const EVENTS = is_long ? 10_000_000 : 300_000;
/** Of what is torn or whole many times a second anyway. */
const FEWER_EVENTS = is_long ? 1_000_000 : 100_000;
let made = 0;

function witnessTest(name: string, body: (reader: string, segment: string) => Promise<void>): void {
  serviceTest("c_compiler", name, async (compiler) => {
    const folder = await Deno.makeTempDir({ prefix: "mdg-reader-" });
    try {
      await body(await compileReader(compiler, folder), `mdg-test-witness-${Deno.pid}-${++made}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

for (const [what, ring_events, slow] of [["large", 65_536, 0], ["small", 64, 1_000]] as const) {
  witnessTest(`every event from a ${what} ring is whole, or known to be lost`, async (reader, name) => {
    const seen = await witness(reader, { name, events: EVENTS, ring_events }, {
      watch: ["witness", `${EVENTS}`, `slow=${slow}`],
    });
    assert.equal(seen.corrupt, 0);
    assert.equal(seen.accepted + seen.others + seen.lost, EVENTS, "nothing is lost without a word");
    assert.ok(seen.accepted > 0);
    if (what === "small") assert.ok(seen.lapped > 0, "the reader was lapped");
  });
}

witnessTest("a writer that tears on purpose deceives only a reader that trusts", async (reader, name) => {
  const events = FEWER_EVENTS;
  const plan = { name, events, ring_events: 64, tear: true } as const;
  const seen = await witness(reader, plan, { watch: ["witness", `${events}`, "slow=1000"] });
  assert.deepEqual([seen.corrupt, seen.accepted + seen.lost], [0, events]);
  assert.ok(seen.torn > 0, "tearing was seen");
  const deceived = await witness(reader, plan, { watch: ["witness", `${events}`, "slow=1000", "trusting"] });
  assert.ok(deceived.corrupt > 0, "the canary bites");
});

witnessTest("every copy of a book is whole and never older than the one before", async (reader, name) => {
  const events = FEWER_EVENTS / 10;
  const plan = { name, events, ring_events: 64, books: true } as const;
  const seen = await witness(reader, plan, { watch: ["book-witness", `${events}`] });
  assert.equal(seen.corrupt, 0);
  assert.ok(seen.accepted > 1 && seen.distinct > 1);
});
