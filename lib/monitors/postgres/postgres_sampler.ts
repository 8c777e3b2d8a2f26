/** `mdg monitor postgres`: one sample a look, what its numbers are, and what a person may do to a session. */
import type { Clock } from "../../base/clock.ts";
import type { Block } from "../../tui/screen.ts";
import { CounterRates } from "../counter_rates.ts";
import type { Finding, Look, Readings, RowAction, Sampler } from "../monitor.ts";
import { MonitorConnection, type MonitorConnectionOptions } from "./connection.ts";
import { drawPostgres, SESSIONS_TITLE, VIEWS } from "./draw.ts";
import { CANCEL, LEADING_STATEMENTS, lookQuery, PARTS, TERMINATE } from "./queries.ts";
import { postgresFindings, postgresHeadline, postgresReadings } from "./readings.ts";
import type { PostgresSample, Session } from "./sample.ts";
import { type Answers, type Counter, countersOf, epochOf, postgresSampleOf } from "./sample_of.ts";

export class PostgresSampler implements Sampler<PostgresSample> {
  readonly target: string;
  readonly views = VIEWS;
  readonly actions: readonly RowAction[];
  readonly #connection: MonitorConnection;
  readonly #rates: CounterRates<Counter>;
  readonly #clock: Clock;
  /** Our own transactions that the statistics have not told of yet: sessions send theirs once a second at most. */
  #untold = 0;
  /** Those of the last look, by the id of their row. */
  #sessions = new Map<string, Session>();

  constructor(readonly options: MonitorConnectionOptions) {
    const { host, port, database } = options.address;
    this.target = `${host.includes(":") ? `[${host}]` : host}:${port}${
      database === undefined ? "" : `/${database}`
    }`;
    this.#clock = options.clock;
    this.#connection = new MonitorConnection(options);
    this.#rates = new CounterRates(options.clock);
    this.actions = [
      this.#action("C", "cancel", "cancel the query of", CANCEL),
      this.#action("K", "end", "end the session of", TERMINATE),
    ];
  }
  async poll(): Promise<PostgresSample> {
    const connection = this.#connection;
    return await connection.with("ask for the statistics", async (client) => {
      const started_ms = this.#clock.monotonic_ms();
      const results = await client.query(lookQuery(connection.version_num, this.options.timeout_ms));
      const answer_us = (this.#clock.monotonic_ms() - started_ms) * 1_000;
      // Several statements in one text: several results, which the types do not tell.
      const all = results as unknown as { rows: Record<string, unknown>[] }[];
      const answers = Object.fromEntries(
        PARTS.map((part, i) => [part, all[LEADING_STATEMENTS + i].rows]),
      ) as unknown as Answers;
      this.#rates.look(epochOf(answers), countersOf(answers));
      const sample = postgresSampleOf(answers, this.#rates, { answer_us, own: this.#ownOf() });
      this.#sessions = new Map(sample.sessions.map((session) => [rowIdOf(session), session]));
      return sample;
    });
  }
  readings(sample: PostgresSample): Readings {
    return postgresReadings(sample);
  }
  findings(sample: PostgresSample): Finding[] {
    return postgresFindings(sample);
  }
  headline(sample: PostgresSample): string {
    return postgresHeadline(sample);
  }
  draw(sample: PostgresSample, look: Look): Block[] {
    return drawPostgres(sample, look, rowIdOf);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  /** How many of the transactions since the last look were ours: one a look, told of later. */
  #ownOf(): number {
    const own = Math.min(this.#untold, this.#rates.grown("commits") ?? 0);
    this.#untold += 1 - own;
    return own;
  }
  /** Only ever to the very session that was shown: a pid may be another's by the time a person has answered. */
  #action(key: string, name: string, words: string, query: string): RowAction {
    return {
      key,
      name,
      doc: `${words} the selected row, after a question`,
      table: SESSIONS_TITLE,
      question: (row_id) => {
        const session = this.#sessions.get(row_id);
        if (!session || session.type !== "client backend") return undefined;
        const who = [session.user, session.database, session.application].filter((part) =>
          part !== undefined
        );
        return `${words} ${session.pid} (${who.join(", ")})?`;
      },
      act: async (row_id) => {
        const [pid, began] = row_id.split(" ");
        return await this.#connection.with(name, async (client) => {
          const { rows } = await client.query(query, [Number(pid), began]);
          if (rows.length === 0) return `${name} ${pid}: the session has ended by itself`;
          return rows[0].done === true ? `${name} ${pid}: sent` : `${name} ${pid}: refused`;
        });
      },
    };
  }
}

function rowIdOf({ pid, began }: Session): string {
  return `${pid} ${began}`;
}
