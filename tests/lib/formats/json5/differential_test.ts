/**
 * Our engine against the json5 package over generated texts, legal and damaged: the same verdict and the same value.
 * Short here; `--long` runs a million documents. A canary proves that a difference would be seen.
 */
import assert from "node:assert/strict";
import JSON5 from "json5";
import { Random } from "../../../../lib/base/random.ts";
import { SyntaxFault } from "../../../../lib/formats/syntax_error.ts";
import { locateJson5 } from "../../../../lib/formats/json5/locate.ts";
import { parseJson5 } from "../../../../lib/formats/json5/parse.ts";
import { is_long } from "../../../services.ts";
import { generateJson5 } from "./generate_json5.ts";
import { plainValue } from "./plain_value.ts";

const documents = is_long || Deno.env.get("MDG_LONG") ? 1_000_000 : 4_000;

type Verdict = { legal: true; value: unknown } | { legal: false };

function ours(text: string): Verdict {
  try {
    const document = parseJson5(text);
    assert.equal(document.print(), text);
    return { legal: true, value: plainValue(locateJson5(document)) };
  } catch (error) {
    assert.ok(error instanceof SyntaxFault, `${JSON.stringify(text)}: ${error}`);
    return { legal: false };
  }
}
function oracle(text: string): Verdict {
  try {
    return { legal: true, value: JSON5.parse(text) };
  } catch {
    return { legal: false };
  }
}

Deno.test("json5 engine agrees with the json5 package on generated documents", () => {
  const random = new Random("json5 differential");
  let refused = 0;
  for (let i = 0; i < documents; i++) {
    const text = generateJson5(random, i % 2 === 1);
    const verdict = ours(text);
    assert.deepEqual(verdict, oracle(text), `document ${i}: ${JSON.stringify(text)}`);
    if (i % 2 === 0) assert.ok(verdict.legal, `undamaged document ${i}: ${JSON.stringify(text)}`);
    else if (!verdict.legal) refused++;
  }
  assert.ok(refused > documents / 20, `only ${refused} of ${documents} were refused: damage is too mild`);
});

Deno.test("canary: a parser that dropped a sign would be caught within the short run", () => {
  const random = new Random("json5 differential");
  let caught = false;
  for (let i = 0; i < 4_000 && !caught; i += 2) {
    const text = generateJson5(random);
    const wrong = text.replace(/-(?=[.\dI])/, "+");
    try {
      assert.deepEqual(ours(wrong), oracle(text));
    } catch {
      caught = true;
    }
  }
  assert.ok(caught);
});
