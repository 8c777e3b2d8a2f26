/**
 * What a web page does with the protocol, sent to the browser as text: connects over wss, authenticates with its first
 * message where it has a token, keeps a book by the documented rules until `trades` trades have come.
 * @param {{ url: string, token: string | undefined, protocol: string, trades: number }} wanted
 * @returns {Promise<{ opened: boolean, types: string[], code?: number, trade_id?: number, bids?: number[][], asks?: number[][] }>}
 */
export function keepBook({ url, token, protocol, trades }) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, protocol);
    const types = [];
    const sides = { bids: new Map(), asks: new Map() };
    let opened = false;
    let seq;
    const book = (side, ascending) => [...sides[side]].sort((a, b) => ascending ? a[0] - b[0] : b[0] - a[0]);
    const subscribe = () => {
      for (const channel of ["book", "trades"]) {
        socket.send(JSON.stringify({ type: "subscribe", symbol: "BTCUSDT", channel }));
      }
    };
    socket.onopen = () => opened = true;
    socket.onclose = ({ code }) => resolve({ opened, code, types });
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      types.push(message.type);
      if (message.type === "hello") {
        if (message.auth === "required") {
          if (token !== undefined) socket.send(JSON.stringify({ type: "auth", token }));
        } else subscribe();
      } else if (message.type === "authenticated") subscribe();
      else if (message.type === "snapshot" || message.type === "delta") {
        if (message.type === "snapshot") { for (const side of Object.values(sides)) side.clear(); }
        else if (message.seq !== seq + 1) return resolve({ opened, types: [...types, "a hole"] });
        seq = message.seq;
        for (const side of ["bids", "asks"]) {
          for (const [price, quantity] of message[side]) {
            if (quantity === 0) sides[side].delete(price);
            else sides[side].set(price, quantity);
          }
        }
      } else if (message.type === "trade" && --trades === 0) {
        const { trade_id } = message;
        resolve({ opened, types, trade_id, bids: book("bids", false), asks: book("asks", true) });
        socket.close();
      }
    };
  });
}
