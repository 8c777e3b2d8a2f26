/** A client of any mock that is not our own code (npm ws): keeps all it receives, in order. */
// @ts-types="@types/ws"
import WebSocket from "ws";

export class StageClient {
  readonly texts: string[] = [];
  readonly binary: Uint8Array[] = [];
  /** The close code. */
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  #waiting: { wanted: (text: string) => boolean; resolve: () => void } | undefined;

  private constructor(url: string) {
    this.socket = new WebSocket(url, { skipUTF8Validation: true });
    this.socket.on("message", (data: Uint8Array, is_binary: boolean) => this.#take(data, is_binary));
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
  }
  static open(url: string): Promise<StageClient> {
    const client = new StageClient(url);
    return new Promise((resolve, reject) => {
      client.socket.once("open", () => resolve(client));
      client.socket.once("error", reject);
    });
  }
  send(text: string): void {
    this.socket.send(text);
  }
  /** Resolves with the next text that is wanted. */
  until(wanted: (text: string) => boolean): Promise<void> {
    return new Promise((resolve) => this.#waiting = { wanted, resolve });
  }
  async close(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
  #take(data: Uint8Array, is_binary: boolean): void {
    if (is_binary) return void this.binary.push(data);
    const text = data.toString();
    this.texts.push(text);
    if (!this.#waiting?.wanted(text)) return;
    this.#waiting.resolve();
    this.#waiting = undefined;
  }
}
