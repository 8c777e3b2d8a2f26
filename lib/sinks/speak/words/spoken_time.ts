/**
 * Times and dates as words: "09:30 ET" → "nine thirty a.m. New York". A zone is said where the text has one and never
 * invented; nothing is converted from one zone to another.
 */

const NUMBER_WORDS = [
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
  "eighteen nineteen",
].join(" ").split(" ");
const TENS = ["", "", "twenty", "thirty", "forty", "fifty"];
const MONTHS = [
  "January February March April May June July August September October November December",
].join(" ").split(" ");

/** What people write behind a time → what they say. */
const ZONES: Readonly<Record<string, string>> = {
  ET: "New York",
  EST: "New York",
  EDT: "New York",
  UTC: "U T C",
  GMT: "G M T",
  Z: "U T C",
};

const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(am|pm)?(Z)?$/i;
const FULL_HOUR = /^(\d{1,2})(am|pm)$/i;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_AND_TIME = /^(\d{4}-\d{2}-\d{2})[T_](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?$/;

export function spokenZone(word: string): string | undefined {
  return Object.hasOwn(ZONES, word) ? ZONES[word] : undefined;
}

/** "9:30am", "09:30", "14:30:05", "09:30Z". Undefined when it is no time of day. */
export function spokenTime(word: string): string | undefined {
  const found = TIME.exec(word.replace(FULL_HOUR, "$1:00$2"));
  if (!found) return undefined;
  const [hour, minute, second] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const half = found[4]?.toLowerCase();
  if (half !== undefined && (hour < 1 || hour > 12)) return undefined;
  const zone = found[5] ? ` ${ZONES.Z}` : "";
  const of_day = half === undefined ? hour : hour % 12 + (half === "pm" ? 12 : 0);
  const seconds = second === 0 ? "" : ` and ${second} ${second === 1 ? "second" : "seconds"}`;
  return `${timeOfDay(of_day, minute)}${seconds}${zone}`;
}

/** "2026-11-30", "2026-11-30T14:30:00Z". */
export function spokenDate(word: string): string | undefined {
  const both = DATE_AND_TIME.exec(word);
  const found = DATE.exec(both ? both[1] : word);
  if (!found) return undefined;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const date = `${MONTHS[month - 1]} ${day} ${year}`;
  if (!both) return date;
  const time = spokenTime(both[2]);
  if (time === undefined) return undefined;
  const zone = both[3] === undefined
    ? ""
    : both[3] === "Z"
    ? ` ${ZONES.Z}`
    : ` U T C ${spokenOffset(both[3])}`;
  return `${date}, ${time}${zone}`;
}

function spokenOffset(offset: string): string {
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(-2))];
  return `${offset[0] === "-" ? "minus" : "plus"} ${hours}${minutes > 0 ? ` ${minutes}` : ""}`;
}

function timeOfDay(hour: number, minute: number): string {
  if (minute === 0 && hour === 12) return "noon";
  if (minute === 0 && hour === 0) return "midnight";
  const minutes = minute === 0 ? "" : minute < 10 ? ` oh ${numberWord(minute)}` : ` ${numberWord(minute)}`;
  return `${numberWord(hour % 12 === 0 ? 12 : hour % 12)}${minutes} ${hour < 12 ? "a.m." : "p.m."}`;
}

function numberWord(value: number): string {
  if (value < 20) return NUMBER_WORDS[value];
  const [tens, ones] = [Math.floor(value / 10), value % 10];
  return ones === 0 ? TENS[tens] : `${TENS[tens]} ${NUMBER_WORDS[ones]}`;
}
