/** A Worker that takes as many places as it gets, through the port it is sent. */
import { systemClock } from "../../../../lib/base/clock.ts";
import { portLedger } from "../../../../lib/servers/access/port_ledger.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<{ port: MessagePort; tries: number; max: number }>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data: { port, tries, max } }) => {
  const ledger = portLedger(port, systemClock);
  let granted = 0;
  for (let i = 0; i < tries; i++) if (await ledger.acquire("a", max)) granted++;
  scope.postMessage({ granted });
};
