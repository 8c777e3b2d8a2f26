/** Ways to spoil a clean stream, each seeded; "interrupt" stands for a connection that was lost. */
import type { Random } from "../../../lib/base/random.ts";
import type { StreamEvent } from "./venue_model.ts";

export type Delivery = StreamEvent | "interrupt";
type Mutation = (events: readonly StreamEvent[], random: Random) => Delivery[];

/** Every event at its place plus a delay in places; equal places keep their order. */
function delayed<T>(events: readonly T[], delay: (event: T, at: number) => number): T[] {
  return events.map((event, at) => ({ event, place: at + delay(event, at) }))
    .sort((one, other) => one.place - other.place).map(({ event }) => event);
}

const drop: Mutation = (events, random) => events.filter(() => !random.chance(0.05));
const repeat: Mutation = (events, random) =>
  events.flatMap((event) => random.chance(0.2) ? Array(random.integer(2, 3)).fill(event) : [event]);
const reorder: Mutation = (events, random) =>
  delayed(events, () => random.chance(0.1) ? random.unit() * 4 : 0);
const delay: Mutation = (events, random) =>
  delayed(events, () => random.chance(0.03) ? random.integer(10, 120) : 0);

/** Two connections that both lose and lag; between them nearly everything arrives, some of it twice. */
const overlap: Mutation = (events, random) => {
  const lag = random.integer(0, 40);
  const lines = [0, lag].flatMap((by) =>
    events.map((event, at) => ({ event, place: at + by })).filter(() => !random.chance(0.04))
  );
  return lines.sort((one, other) => one.place - other.place).map(({ event }) => event);
};
/** Connections break now and then; some breaks lose nothing, some lose a stretch, some repeat one. */
const interrupt: Mutation = (events, random) => {
  const deliveries: Delivery[] = [];
  for (let at = 0; at < events.length; at++) {
    deliveries.push(events[at]);
    if (!random.chance(0.02)) continue;
    deliveries.push("interrupt");
    at = Math.max(-1, at + random.pick([0, 0, 3, 25, -8]));
  }
  return deliveries;
};
const mixed: Mutation = (events, random) => {
  const whole = [drop, repeat, reorder, delay, overlap];
  let deliveries = [...events];
  for (let i = 0; i < 3; i++) deliveries = random.pick(whole)(deliveries, random) as StreamEvent[];
  return interrupt(deliveries, random);
};

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  clean: (events) => [...events],
  drop,
  repeat,
  reorder,
  delay,
  overlap,
  interrupt,
  mixed,
};
