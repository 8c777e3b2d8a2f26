/**
 * Every message of the depth protocol in both directions, spoken by a client that knows only the browser's WebSocket and
 * this file: the same text runs on Node with npm ws, in a browser's page and in Deno. Plain JavaScript for that reason.
 */

/**
 * Drives the whole protocol against a server with symbols BTCUSD and ETHUSD, --delta, a short interval and heartbeat.
 * @param {string} url
 * @param {typeof WebSocket} WebSocketClass
 * @returns {Promise<string[]>} what was found right; rejects at the first thing that was wrong
 */
export async function conform(url, WebSocketClass) {
  const passed = [];
  const check = (condition, what, seen) => {
    if (!condition) throw new Error(`${what}: ${JSON.stringify(seen)?.slice(0, 500)}`);
  };
  /** Of BTCUSD: sums of quantities differ in bits that no lot has, and coarser decimals round halves by them. */
  const LOT_DECIMALS = 8;
  const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

  function connect() {
    const socket = new WebSocketClass(url);
    socket.binaryType = "arraybuffer";
    const client = { socket, seen: [], waiting: [], closed: undefined };
    client.opened = new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("no connection"));
    });
    client.ended = new Promise((resolve) => {
      socket.onclose = (event) => {
        client.closed = { code: event.code, reason: String(event.reason) };
        for (const { reject } of client.waiting) {
          reject(new Error(`closed: ${JSON.stringify(client.closed)}`));
        }
        resolve(client.closed);
      };
    });
    socket.onmessage = (event) => {
      check(typeof event.data === "string", "a message is text", typeof event.data);
      client.seen.push(JSON.parse(event.data));
      look();
    };
    function look() {
      for (const one of [...client.waiting]) {
        const at = client.seen.findIndex((message) => one.match(message));
        if (at < 0) continue;
        client.waiting.splice(client.waiting.indexOf(one), 1);
        one.resolve(client.seen.splice(at, 1)[0]);
      }
    }
    /** The oldest message not yet taken that matches. */
    client.next = (match) =>
      new Promise((resolve, reject) => {
        client.waiting.push({ match, resolve, reject });
        look();
      });
    client.type = (type) => client.next((message) => message.type === type);
    client.data = (id) => client.next((message) => message.type === "MarketData" && message.stream_id === id);
    client.send = (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message));
    client.subscribe = async (id, symbol, data_type, more = {}) => {
      client.send({ type: "Subscribe", stream_id: id, symbol, data_type, max_levels: 20, ...more });
      const answer = await client.next((message) => message.stream_id === id);
      const right = { type: "Subscribed", stream_id: id, symbol, data_type };
      check(JSON.stringify(answer) === JSON.stringify(right), "Subscribed, and before any data", answer);
    };
    client.refused = async (message, code, pattern, stream_id) => {
      client.send(message);
      const answer = await client.type("Error");
      check(answer.code === code && pattern.test(answer.message), `Error ${code} ${pattern}`, answer);
      check(answer.stream_id === stream_id, `Error with stream_id ${stream_id}`, answer);
    };
    return client;
  }

  function checkHead(message, id, symbol, sequence) {
    check(message.stream_id === id && message.symbol === symbol, "MarketData names its stream", message);
    check(message.sequence === sequence, `sequence ${sequence}`, message.sequence);
    check(iso.test(message.timestamp), "timestamp ISO 8601 with microseconds", message.timestamp);
    check(!("skipped" in message), "nothing was skipped", message);
  }
  function checkMbp(data, max_levels) {
    check(data.format === "MBP", "format MBP", data);
    for (const [levels, direction] of [[data.bids, -1], [data.asks, 1]]) {
      check(levels.length > 0 && levels.length <= max_levels, `1 to ${max_levels} levels`, levels);
      let total = 0;
      levels.forEach((level, i) => {
        const fields = Object.keys(level).sort().join();
        check(fields === "order_count,price,quantity,total_quantity", "fields of a level", level);
        check(i === 0 || (level.price - levels[i - 1].price) * direction > 0, "best first", levels);
        check(Number.isInteger(level.order_count) && level.order_count > 0, "order_count", level);
        total += level.quantity;
        check(Math.abs(level.total_quantity - total) < 1e-6 * total, "total_quantity is cumulative", levels);
      });
    }
    check(data.bids[0].price < data.asks[0].price, "not crossed", data);
  }
  function checkMbo(data, at) {
    check(data.format === "MBO", "format MBO", data);
    for (const [orders, side, direction] of [[data.bids, "bid", -1], [data.asks, "ask", 1]]) {
      orders.forEach((order, i) => {
        const fields = Object.keys(order).sort().join();
        check(fields === "age,order_id,price,quantity,side,timestamp", "fields of an order", order);
        check(order.side === side && order.quantity > 0 && iso.test(order.timestamp), "an order", order);
        const age_ms = (micros(at) - micros(order.timestamp)) / 1000;
        check(Math.abs(age_ms - order.age) < 0.002, "age is timestamp's distance, ms", { at, order });
        if (i === 0) return;
        const before = orders[i - 1];
        const better = (order.price - before.price) * direction;
        const later = order.timestamp >= before.timestamp;
        check(better > 0 || (better === 0 && later), "price–time priority", [before, order]);
      });
    }
  }
  function micros(timestamp) {
    return Date.parse(timestamp.slice(0, 19) + "Z") * 1000 + Number(timestamp.slice(20, 26));
  }
  /** An MBO book as MBP levels. */
  function aggregated(orders) {
    const levels = new Map();
    for (const { price, quantity } of orders) {
      const [sum, count] = levels.get(price) ?? [0, 0];
      levels.set(price, [sum + quantity, count + 1]);
    }
    return [...levels].map(([price, [quantity, count]]) => [price, quantity.toFixed(LOT_DECIMALS), count]);
  }
  function applyMbp(book, data) {
    for (const side of ["bids", "asks"]) {
      if (data.format === "MBP") book[side] = new Map();
      for (const { price, quantity, order_count } of data[side]) {
        if (quantity === 0) book[side].delete(price);
        else book[side].set(price, [quantity, order_count]);
      }
    }
  }
  function listed(book) {
    const sorted = (side, sign) => [...side].sort((a, b) => (a[0] - b[0]) * sign);
    return JSON.stringify([sorted(book.bids, -1), sorted(book.asks, 1)]);
  }

  const client = connect();
  await client.opened;

  await client.subscribe("mbp", "BTCUSD", "MBP");
  await client.subscribe("mbo", "BTCUSD", "MBO");
  await client.subscribe("eth", "ETHUSD", "MBP", { max_levels: 5 });
  passed.push("several streams on one connection");
  const by_level = new Map();
  const by_order = new Map();
  for (let sequence = 1; sequence <= 6; sequence++) {
    const mbp = await client.data("mbp");
    checkHead(mbp, "mbp", "BTCUSD", sequence);
    checkMbp(mbp.data, 20);
    const mbo = await client.data("mbo");
    checkHead(mbo, "mbo", "BTCUSD", sequence);
    checkMbo(mbo.data, mbo.timestamp);
    by_level.set(
      mbp.timestamp,
      [...mbp.data.bids, ...mbp.data.asks].map((
        level,
      ) => [level.price, level.quantity.toFixed(LOT_DECIMALS), level.order_count]),
    );
    by_order.set(mbo.timestamp, aggregated([...mbo.data.bids, ...mbo.data.asks]));
    const eth = await client.data("eth");
    checkHead(eth, "eth", "ETHUSD", sequence);
    checkMbp(eth.data, 5);
  }
  const common = [...by_level.keys()].filter((timestamp) => by_order.has(timestamp));
  check(common.length >= 4, "streams of one symbol are published together", [...by_level.keys()]);
  for (const timestamp of common) {
    const [levels, sums] = [by_level.get(timestamp), by_order.get(timestamp)];
    check(JSON.stringify(levels) === JSON.stringify(sums), "MBP equals MBO aggregated", [levels, sums]);
  }
  passed.push("MBP", "MBO", "sequence", "timestamps", "max_levels");

  await client.subscribe("trades", "BTCUSD", "TRADES");
  const trades = await client.data("trades");
  checkHead(trades, "trades", "BTCUSD", 1);
  check(trades.data.format === "TRADES" && trades.data.trades.length > 0, "format TRADES", trades);
  let last_id = trades.data.trades[0].trade_id - 1;
  for (const message of [trades, await client.data("trades")]) {
    for (const trade of message.data.trades) {
      const fields = Object.keys(trade).sort().join();
      const right = "maker_order_id,price,quantity,side,taker_order_id,timestamp,trade_id";
      check(fields === right && iso.test(trade.timestamp), "fields of a trade", trade);
      check(trade.trade_id === ++last_id, "trade ids +1, also across messages", message);
      check(trade.side === "buy" || trade.side === "sell", "side of the aggressor", trade);
    }
  }
  passed.push("TRADES");

  await client.subscribe("full", "ETHUSD", "MBP");
  await client.subscribe("delta", "ETHUSD", "MBP", { delta: true });
  const book = { bids: new Map(), asks: new Map() };
  const full = { bids: new Map(), asks: new Map() };
  for (let sequence = 1; sequence <= 6; sequence++) {
    const delta = await client.data("delta");
    checkHead(delta, "delta", "ETHUSD", sequence);
    check(delta.data.format === (sequence === 1 ? "MBP" : "MBP_DELTA"), "a book, then changes", delta);
    applyMbp(book, delta.data);
    const at = await client.next((message) =>
      message.stream_id === "full" && message.timestamp === delta.timestamp
    );
    applyMbp(full, at.data);
    check(listed(book) === listed(full), "changes add up to the book", [listed(book), listed(full)]);
  }
  passed.push("delta");

  client.send({ type: "Ping", timestamp: "2024-08-08T12:00:00.000001Z" });
  const pong = await client.type("Pong");
  check(JSON.stringify(pong) === '{"type":"Pong","timestamp":"2024-08-08T12:00:00.000001Z"}', "Pong", pong);
  client.send({ type: "Ping", timestamp: 1723118400000 });
  check((await client.type("Pong")).timestamp === 1723118400000, "Pong keeps a number", pong);
  client.send({ type: "Ping" });
  check(iso.test((await client.type("Pong")).timestamp), "Pong without a timestamp has the server's", pong);
  const beat = await client.type("HeartBeat");
  check(iso.test(beat.timestamp) && Object.keys(beat).length === 2, "HeartBeat", beat);
  passed.push("Ping, Pong", "HeartBeat");

  const subscribe = {
    type: "Subscribe",
    stream_id: "bad",
    symbol: "BTCUSD",
    data_type: "MBP",
    max_levels: 20,
  };
  await client.refused("{", 400, /^Invalid message format: not JSON/, undefined);
  await client.refused("[1]", 400, /want a JSON object/, undefined);
  await client.refused({}, 400, /"type" is missing/, undefined);
  await client.refused({ type: "Buy", stream_id: "x" }, 400, /"type" is .*Buy.*want Subscribe/, "x");
  for (const field of ["stream_id", "symbol", "data_type"]) {
    const known = field === "stream_id" ? undefined : "bad";
    const without = { ...subscribe, [field]: undefined };
    await client.refused(without, 400, new RegExp(`"${field}" is missing`), known);
  }
  await client.refused({ ...subscribe, stream_id: 7 }, 400, /"stream_id" is .*7/, undefined);
  await client.refused({ ...subscribe, symbol: "NOSUCH" }, 404, /NOSUCH.*BTCUSD, ETHUSD/, "bad");
  await client.refused({ ...subscribe, data_type: "L2" }, 400, /"data_type" is .*L2.*MBP, MBO/, "bad");
  for (const max_levels of [0, 1001, 1.5, "20", null]) {
    await client.refused({ ...subscribe, max_levels }, 400, /"max_levels" is .*1 to 1000/, "bad");
  }
  await client.refused({ ...subscribe, delta: "yes" }, 400, /"delta" is/, "bad");
  await client.refused({ ...subscribe, stream_id: "mbp" }, 409, /"mbp" is in use/, "mbp");
  await client.refused({ type: "Unsubscribe" }, 400, /"stream_id" is missing/, undefined);
  await client.refused({ type: "Unsubscribe", stream_id: "none" }, 404, /"none" is not subscribed/, "none");
  await client.refused({ type: "Ping", timestamp: {} }, 400, /"timestamp" is/, undefined);
  check(client.closed === undefined, "the connection stays open", client.closed);
  passed.push("errors");

  client.send({ type: "Unsubscribe", stream_id: "mbp" });
  const gone = await client.type("Unsubscribed");
  check(JSON.stringify(gone) === '{"type":"Unsubscribed","stream_id":"mbp"}', "Unsubscribed", gone);
  client.seen.length = 0;
  await client.data("eth");
  await client.data("eth");
  check(
    !client.seen.some((message) => message.stream_id === "mbp"),
    "silence after Unsubscribe",
    client.seen,
  );
  await client.subscribe("mbp", "ETHUSD", "MBP");
  checkHead(await client.data("mbp"), "mbp", "ETHUSD", 1);
  passed.push("Unsubscribe, and its id again");

  for (const [message, code] of [[new Uint8Array([1, 2, 3]), 1003], [" ".repeat(70_000), 1009]]) {
    const bad = connect();
    await bad.opened;
    bad.socket.send(message);
    const closed = await bad.ended;
    check(closed.code === code, `close code ${code}`, closed);
  }
  const flood = connect();
  await flood.opened;
  for (let i = 0; i < 3_000; i++) flood.send("nonsense");
  const closed = await flood.ended;
  check(closed.code === 1008, "a flood is closed with 1008", closed);
  passed.push("close codes 1003, 1008, 1009");

  // Right after a heartbeat: Deno's own WebSocket tells 1005 where a ping crosses its close frame.
  client.seen.length = 0;
  await client.type("HeartBeat");
  client.socket.close(1000);
  check((await client.ended).code === 1000, "a clean close", client.closed);
  passed.push("clean close");
  return passed;
}
