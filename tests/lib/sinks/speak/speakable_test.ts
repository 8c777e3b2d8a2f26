import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { countWords, speakable } from "../../../../lib/sinks/speak/words/speakable.ts";

/** What is written → what is said. */
const TABLE: Record<string, readonly (readonly [text: string, spoken: string])[]> = {
  tickers: [
    ["AAPL", "A A P L"],
    ["BRK.B", "B R K, B"],
    ["$TSLA", "T S L A"],
    ["$brk.b", "B R K, B"],
    ["^GSPC", "G S P C"],
    ["NVDA.", "N V D A."],
    ["(MSFT)", "M S F T"],
    ["1000PEPE", "1000 P E P E"],
  ],
  pairs: [
    ["BTCUSDT", "B T C, U S dollar T"],
    ["btcusd", "B T C, U S dollar"],
    ["BTC/USDT", "B T C, U S dollar T"],
    ["BTC-USD", "B T C, U S dollar"],
    ["BTC_USDC", "B T C, U S dollar C"],
    ["EURUSD", "euro, U S dollar"],
    ["USDJPY", "U S dollar, yen"],
    ["1000PEPEUSDT", "1000 P E P E, U S dollar T"],
    ["BTC-PERPETUAL", "B T C, perpetual"],
    ["BTC-USDT-SWAP", "B T C, U S dollar T, swap"],
    ["BTC-27DEC24-100000-C", "B T C, 27 D E C 24, 100000, C"],
  ],
  money: [
    ["$1,234.56", "1234 dollars and 56 cents"],
    ["$1.00", "1 dollar"],
    ["$0.05", "5 cents"],
    ["$0.01", "1 cent"],
    ["$1", "1 dollar"],
    ["$0.00001234", "0.00001234 dollars"],
    ["-$1.25M", "minus 1.25 million dollars"],
    ["$-3", "minus 3 dollars"],
    ["+€3k", "plus 3 thousand euros"],
    ["£2bn", "2 billion pounds"],
    ["¥100", "100 yen"],
  ],
  percent: [
    ["2.5%", "2.5 percent"],
    ["-2.5%", "minus 2.5 percent"],
    ["−2.5%", "minus 2.5 percent"],
    ["+3%!", "plus 3 percent!"],
    ["10-20%", "10 to 20 percent"],
    ["1bp", "1 basis point"],
    ["25bps", "25 basis points"],
  ],
  numbers: [
    ["65,012.30", "65012.30"],
    ["-5", "minus 5"],
    [".5", "0.5"],
    ["1e-5", "10 to the minus 5"],
    ["1.5E+10", "1.5 times 10 to the 10"],
    ["-2e3", "minus 2 times 10 to the 3"],
    ["1.5M", "1.5 million"],
    ["#5", "number 5"],
    ["250ms", "250 milliseconds"],
    ["1h", "1 hour"],
    ["5m", "5 minutes"],
    ["> 5", "above 5"],
    ["1.2.3", "1.2.3"],
  ],
  times: [
    ["09:30 ET", "nine thirty a.m. New York"],
    ["9:30 a.m. EDT", "nine thirty a.m. New York"],
    ["16:05", "four oh five p.m."],
    ["5 pm", "five p.m."],
    ["12:00", "noon"],
    ["0:00", "midnight"],
    ["14:30:05Z", "two thirty p.m. and 5 seconds U T C"],
    ["2026-11-30", "November 30 2026"],
    ["2026-11-30T14:30:00Z", "November 30 2026, two thirty p.m. U T C"],
    ["2026-11-30T09:30:00-05:00", "November 30 2026, nine thirty a.m. U T C minus 5"],
    ["25:00", "25 00"],
    ["13pm", "13pm"],
  ],
  "what is no instruction": [
    ["-1.25M dollars", "minus 1.25 million dollars"],
    ["-w /etc/passwd", "w etc passwd"],
    ["--help", "help"],
    ["[[inpt PHON]] hello", "inpt P H O N hello"],
    ["<speak>hello</speak>", "speak hello speak"],
    ["!-!SET SELF RATE", "SET S E L F R A T E"],
    ["`reboot`; $(reboot) | reboot", "reboot; reboot reboot"],
    ["line\none\0two\x1b[31m", "line one two 31 minutes"],
    ["🚀🚀", ""],
    ["- -- !? …", ""],
    ["https://a.b/c?d=e", "a link"],
  ],
  "words stay words": [
    ["FEED DEAD", "feed dead"],
    ["it's O'Neil's \"quoted\" stuff...", "it's O'Neil's quoted stuff."],
    ["mid-price, re-sync: done", "mid price, re sync: done"],
    ["I am here", "I am here"],
    ["Zürich 日本", "Zürich 日本"],
  ],
};

for (const [name, rows] of Object.entries(TABLE)) {
  Deno.test(`speakable: ${name}`, () => {
    const said = rows.map(([text]) => [text, speakable(text).spoken]);
    assert.deepEqual(said, rows);
  });
}

Deno.test("each change has its reason, and names that are known are spelled whatever they look like", () => {
  assert.deepEqual(speakable("low at $5", ["low"]).changes, [
    { from: "low", to: "L O W", reason: "symbol" },
    { from: "$5", to: "5 dollars", reason: "money" },
  ]);
  assert.deepEqual(speakable("nothing changes here").changes, []);
});

Deno.test("whatever comes, one line of plain characters is said, that no program reads as an option or a command", () => {
  const random = new Random("speakable");
  const pieces = [
    "-",
    "--",
    "[[",
    "]]",
    "!-!",
    "<",
    ">",
    "$",
    "BTCUSDT",
    "1e-5",
    "%",
    ".",
    ",",
    " ",
    "\n",
    "\r\n",
    "\0",
    "\x1b[",
    "a",
    "Z",
    "7",
    "🚀",
    "'",
    '"',
    "`",
    ";",
    "|",
    "\ud800",
    "é",
    "/",
  ];
  for (let run = 0; run < 3_000; run++) {
    let text = "";
    for (let i = random.integer(1, 12); i > 0; i--) text += pieces[random.integer(0, pieces.length - 1)];
    const { spoken } = speakable(text);
    assert.match(spoken, /^(?:[\p{L}\p{N}][\p{L}\p{M}\p{N} '.,;:!?]*)?$/u, JSON.stringify(text));
    assert.doesNotMatch(spoken, / {2}|\[\[|!-!/, JSON.stringify(text));
    assert.equal(speakable(spoken).spoken.includes("\n"), false);
  }
});

Deno.test("hostile length costs little: marks, digits and letters without an end", () => {
  for (const piece of [")", ".", "-", "1", "1,", "a", "A", "'a", "$1", "e1"]) {
    const { spoken } = speakable(piece.repeat(100_000));
    assert.ok(spoken.length < 1_000, `${piece}: ${spoken.length}`);
  }
});

Deno.test("words are counted as a voice reads them, numbers too", () => {
  const table: [string, number][] = [
    ["B T C", 3],
    ["65000", 3],
    ["65012.3", 6],
    ["100", 2],
    ["7", 1],
    ["21", 2],
    ["1234567", 11],
    ["0.00001", 7],
    ["feed dead, for 10 seconds.", 5],
    ["", 0],
  ];
  assert.deepEqual(table.map(([text]) => [text, countWords(text)]), table);
});
