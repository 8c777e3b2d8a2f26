/** The smallest TCP load balancer: each connection to the next server in turn that takes it. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export class TcpBalancer implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  #next = 0;

  private constructor(readonly server: Server, readonly ports: readonly number[]) {}

  static async open(ports: readonly number[]): Promise<TcpBalancer> {
    const server = createServer({ allowHalfOpen: false });
    const balancer = new TcpBalancer(server, ports);
    server.on("connection", (client: Socket) => balancer.#join(client, ports.length));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return balancer;
  }
  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #join(client: Socket, tries: number): void {
    const port = this.ports[this.#next++ % this.ports.length];
    const edge = connect(port, "127.0.0.1");
    let is_joined = false;
    this.#keep(client);
    this.#keep(edge);
    edge.on("connect", () => {
      is_joined = true;
      client.pipe(edge);
      edge.pipe(client);
    });
    edge.on("close", () => {
      if (is_joined || tries <= 1 || client.destroyed) client.destroy();
      else this.#join(client, tries - 1);
    });
    client.on("close", () => edge.destroy());
  }
  #keep(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
