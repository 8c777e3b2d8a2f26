/** Sessions, upstreams and the memory guard's last acts on the screen, where the gateway lists them. */
import type { GuardAct } from "../../flow/memory_guard.ts";
import type { UpstreamState } from "../../flow/session_registry.ts";
import { bytesText, countText, microsecondsText } from "../../tui/quantity.ts";
import { type Block, type TableBlock, toned } from "../../tui/screen.ts";
import type { GatewaySample } from "./gateway_sampler.ts";
import type { SessionList } from "./session_list.ts";

const SHOWN_ACTS = 5;

export function sessionBlocks({ sessions, upstreams, clients }: GatewaySample): Block[] {
  const blocks: Block[] = [];
  if (upstreams) blocks.push(upstreamTable(upstreams));
  if (sessions) {
    blocks.push(sessionTable(sessions));
    if (sessions.acts.length > 0) {
      blocks.push({
        kind: "lines",
        title: "Memory guard",
        lines: sessions.acts.slice(0, SHOWN_ACTS).map(actText),
      });
    }
  }
  if (blocks.length > 0) return blocks;
  const why = clients
    ? "the gateway lists its sessions to whoever has its control_token: --token-file"
    : "this gateway has no WebSocket server";
  return [{ kind: "lines", lines: [toned("dim", ` ${why}`)] }];
}

function sessionTable({ sessions, total = sessions.length }: SessionList): TableBlock {
  return {
    kind: "table",
    title: total > sessions.length ? `Clients (${sessions.length} of ${total})` : "Clients",
    empty: "nobody is connected",
    columns: [
      { name: "Peer", key: "p" },
      { name: "Tenant", key: "t", grows: true },
      { name: "Step" },
      { name: "Lag", align: "right", key: "l" },
      { name: "Queued", align: "right", key: "w" },
      { name: "Sent", align: "right", key: "b" },
      { name: "Skipped", align: "right", key: "k", optional: true },
      { name: "Subs", align: "right", optional: true },
      { name: "Class", align: "right", optional: true },
      { name: "Server", optional: true },
    ],
    rows: sessions.map((one, i) => ({
      id: one.id ?? String(i),
      cells: [
        one.peer ?? "-",
        one.tenant ?? "-",
        {
          text: one.step ?? "-",
          tone: one.step === undefined || one.step === "normal" ? undefined : "warning",
        },
        { text: milliseconds(one.lag_ms), order: one.lag_ms },
        { text: bytesText(one.queued_bytes), order: one.queued_bytes },
        { text: bytesText(one.sent_bytes), order: one.sent_bytes },
        { text: countText(one.skipped_messages), order: one.skipped_messages },
        countText(one.subscriptions),
        countText(one.priority),
        one.server ?? "-",
      ],
    })),
  };
}

function upstreamTable(upstreams: readonly Partial<UpstreamState>[]): TableBlock {
  return {
    kind: "table",
    title: "Upstreams",
    empty: "none",
    columns: [
      { name: "Connection", key: "c" },
      { name: "Venue", key: "v", grows: true },
      { name: "State" },
      { name: "Silent", align: "right", key: "s" },
      { name: "Symbols", align: "right" },
      { name: "Lost", align: "right", optional: true },
      { name: "Why", optional: true },
    ],
    rows: upstreams.map((one) => ({
      id: `${one.source} ${one.connection}`,
      cells: [
        one.connection ?? one.source ?? "-",
        one.venue ?? "-",
        { text: one.state ?? "-", tone: one.state === "connected" ? "good" : "bad" },
        { text: milliseconds(one.last_message_age_ms), order: one.last_message_age_ms },
        countText(one.symbols),
        countText(one.disconnects),
        one.reason ?? "",
      ],
    })),
  };
}

function actText({ at_ms, what, target, bytes, reason }: Partial<GuardAct>): string {
  const time = at_ms === undefined ? "" : new Date(at_ms).toISOString().slice(11, 19);
  return ` ${time} ${what ?? "?"} ${target ?? ""} ${bytesText(bytes)} ${reason ?? ""}`;
}

function milliseconds(ms: number | undefined): string {
  return microsecondsText(ms === undefined ? undefined : ms * 1e3);
}
