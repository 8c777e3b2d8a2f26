/**
 * grpc.health.v1.Health, for load balancers: serving means ready, as /ready says it. Watchers are told of changes; one
 * timer for all of them, none while there is nobody.
 */
import type { Timer } from "../../../base/clock.ts";
import type { Hub } from "../../../flow/hub.ts";
import { decode, type Methods } from "../method.ts";
import { prefixed } from "../protocol/messages.ts";
import { GrpcError, NOT_FOUND } from "../protocol/status.ts";
import { HEALTH_FILE, MARKET_FILE, messageType } from "../schema/schemas.ts";
import type { Call } from "../transport/call.ts";

const SERVICE = "grpc.health.v1.Health";
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;
const WATCH_MS = 500;

const Request = messageType<{ service: string }>(HEALTH_FILE, "grpc.health.v1.HealthCheckRequest");
const Response = messageType<{ status: number }>(HEALTH_FILE, "grpc.health.v1.HealthCheckResponse");

export class HealthService {
  readonly methods: Methods = {
    [`/${SERVICE}/Check`]: {
      kind: "open",
      name: "Check",
      is_conversation: false,
      answer: (bytes, call) => {
        const { service } = decode(Request, bytes);
        if (!KNOWN.has(service)) throw new GrpcError(NOT_FOUND, "check health: no such service");
        call.send(statusFrame(this.#status()));
        call.finish();
      },
    },
    [`/${SERVICE}/Watch`]: {
      kind: "open",
      name: "Watch",
      is_conversation: false,
      answer: (bytes, call) => {
        const { service } = decode(Request, bytes);
        this.#watch(call, KNOWN.has(service));
      },
    },
  };
  /** Call → what it was told. */
  readonly #watchers = new Map<Call, number>();
  #timer: Timer | undefined;

  constructor(readonly hub: Hub) {}

  #watch(call: Call, is_known: boolean): void {
    const status = is_known ? this.#status() : SERVICE_UNKNOWN;
    call.send(statusFrame(status));
    if (!is_known) return;
    this.#watchers.set(call, status);
    this.#timer ??= this.hub.clock.every(WATCH_MS, () => this.#tell());
    call.on_end.push(() => {
      this.#watchers.delete(call);
      if (this.#watchers.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    });
  }
  #tell(): void {
    const status = this.#status();
    const frame = statusFrame(status);
    for (const [call, told] of this.#watchers) {
      // Who does not read hears the newest once it does.
      if (told === status || !call.ready) continue;
      this.#watchers.set(call, status);
      call.send(frame);
    }
  }
  #status(): number {
    return this.hub.readiness().ready ? SERVING : NOT_SERVING;
  }
}

/** The empty name is the server as a whole. */
const KNOWN: ReadonlySet<string> = new Set(["", ...MARKET_FILE.services]);

function statusFrame(status: number): Uint8Array {
  return prefixed(Response.encode({ status }));
}
