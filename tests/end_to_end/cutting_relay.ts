/**
 * A TCP relay in front of a mock venue that cuts its oldest connection of each WebSocket path on request, as a network
 * does: at once and without a word. REST connections pass and are never cut.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

interface Pair {
  path: string;
  client: Socket;
  venue: Socket;
}

export class CuttingRelay implements AsyncDisposable {
  readonly #pairs: Pair[] = [];
  readonly #all = new Set<Socket>();
  cuts = 0;

  private constructor(readonly server: Server, readonly port: number) {}

  static async open(venue_port: number): Promise<CuttingRelay> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const relay = new CuttingRelay(server, (server.address() as AddressInfo).port);
    server.on("connection", (client: Socket) => relay.#join(client, connect(venue_port, "127.0.0.1")));
    return relay;
  }
  /** Cuts the oldest connection of each path that has another one; returns how many it cut. */
  cutOldest(): number {
    let cut = 0;
    for (const pairs of Map.groupBy(this.#pairs, (pair) => pair.path).values()) {
      if (pairs.length < 2) continue;
      pairs[0].client.destroy();
      cut++;
    }
    this.cuts += cut;
    return cut;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#all) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #join(client: Socket, venue: Socket): void {
    const pair: Pair = { path: "", client, venue };
    client.once("data", (head: Uint8Array) => {
      const text = new TextDecoder().decode(head);
      if (!/^upgrade: websocket/im.test(text)) return;
      pair.path = text.split(" ", 2)[1];
      this.#pairs.push(pair);
    });
    for (const [socket, other] of [[client, venue], [venue, client]]) {
      this.#all.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#all.delete(socket);
        other.destroy();
        const at = this.#pairs.indexOf(pair);
        if (at >= 0) this.#pairs.splice(at, 1);
      });
      socket.pipe(other);
    }
  }
}
