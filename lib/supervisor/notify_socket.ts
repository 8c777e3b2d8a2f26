/**
 * The sd_notify protocol as a program's supervisor: a datagram socket per app, inside the supervisor's own folder, so the
 * address says who speaks. Understood: READY, STATUS, WATCHDOG, STOPPING. MAINPID and file descriptors are not taken.
 */
export interface Notification {
  readonly ready: boolean;
  readonly watchdog: boolean;
  readonly stopping: boolean;
  /** What the program says it is doing. */
  readonly status: string | undefined;
}

const MAX_STATUS_LENGTH = 200;

export class NotifySocket implements Disposable {
  readonly #socket: Deno.DatagramConn;

  /** Replaces what a dead supervisor left under this path. */
  constructor(readonly path: string, onMessage: (message: Notification) => void) {
    removeIfThere(path);
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
    Deno.chmodSync(path, 0o600);
    void this.#read(onMessage);
  }
  [Symbol.dispose](): void {
    this.#socket.close();
    removeIfThere(this.path);
  }

  async #read(onMessage: (message: Notification) => void): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const [bytes] of this.#socket) onMessage(parseNotification(decoder.decode(bytes)));
    } catch (error) {
      // closing while it waits is how this ends
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) {
        throw error;
      }
    }
  }
}

export function parseNotification(text: string): Notification {
  const lines = text.split("\n");
  return {
    ready: lines.includes("READY=1"),
    watchdog: lines.includes("WATCHDOG=1"),
    stopping: lines.includes("STOPPING=1"),
    status: lines.find((line) => line.startsWith("STATUS="))?.slice(7, 7 + MAX_STATUS_LENGTH),
  };
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
