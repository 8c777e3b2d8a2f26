/** The orders of a market-by-order file, played behind the depth server: its books are the server's feeds. */
import { quoted, reasonOf, UserError } from "../../lib/base/errors.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import type { World } from "../../lib/cli/command.ts";
import { parseSpeed } from "../../lib/cli/quantities.ts";
import type { ReplayedFeed } from "../../lib/servers/depth/replayed_feed.ts";

/** As many as the server can tell of in one /health. */
const MAX_SYMBOLS = 1_000;

export interface PlayedOrders {
  feeds: ReplayedFeed[];
  /** Once clients may come. */
  begin(): void;
  end(): Promise<void>;
}

/** @throws UserError when the file holds no orders, or changes are wanted */
export async function replayOrders(
  world: World,
  path: string,
  speed: string,
  delta: boolean,
): Promise<PlayedOrders> {
  const [{ ReplayedFeed }, { DbnRecords }, { DbnMapper }, { openReplay }, { playThrough }] = await Promise
    .all([
      import("../../lib/servers/depth/replayed_feed.ts"),
      import("../../lib/sources/dataset/dbn_records.ts"),
      import("../../lib/sources/dataset/dbn_mapper.ts"),
      import("../../lib/sources/replay/open_replay.ts"),
      import("../../lib/sources/replay/play_through.ts"),
    ]);
  if (delta) throw new UserError("serve a replay: --delta is given, want whole books only", { code: 2 });
  const file = await DbnRecords.open(path).catch((error) => {
    throw error instanceof UserError ? error : new UserError(`read ${quoted(path, 200)}: ${reasonOf(error)}`);
  });
  const symbols = [...new Set(file?.metadata.symbols.values())];
  if (file === undefined || symbols.length === 0) {
    throw new UserError(`serve ${quoted(path, 200)}: no DBN file with named instruments, want one`);
  }
  if (symbols.length > MAX_SYMBOLS) {
    throw new UserError(`serve ${quoted(path, 200)}: ${symbols.length} symbols, want at most ${MAX_SYMBOLS}`);
  }
  const context = {
    name: "replay",
    clock: world.clock,
    log: world.log,
    metrics: new Metrics(),
    seed: "replay",
    feeds: {},
  };
  const replay = await openReplay(
    { paths: [path], speed: parseSpeed(speed), symbols: [], stays: false },
    context,
  );
  const [part] = replay.parts;
  const ordersOf = (symbol: string) => {
    for (const mapper of part.mappers()) if (mapper instanceof DbnMapper) return mapper.orders(symbol);
    return undefined;
  };
  const feeds = new Map(symbols.map((symbol) => [
    symbol,
    new ReplayedFeed({ symbol, orders: () => ordersOf(symbol), at_us: () => part.clock.at_us }),
  ]));
  const stop = new AbortController();
  let playing: Promise<void> | undefined;
  return {
    feeds: [...feeds.values()],
    begin() {
      playing = playThrough(replay, context, {
        publish(update) {
          if (update.kind !== "trade") return;
          const { symbol, trade_id, price, quantity, aggressor, received_us } = update;
          feeds.get(symbol)?.trade({ trade_id, price, quantity, side: aggressor, time_us: received_us });
        },
      }, stop.signal).then(
        () =>
          world.log.info("played to its end; the last books stay", { records: replay.player.state.records }),
        (error) => world.log.error("the replay failed", { reason: reasonOf(error) }),
      );
    },
    async end() {
      stop.abort();
      await playing;
    },
  };
}
