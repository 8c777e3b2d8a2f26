/** What is wrong with Redis and no threshold says: states, refusals to write, subscribers that are about to be closed. */
import { bytesText, percentText, secondsText } from "../../tui/quantity.ts";
import type { Finding } from "../monitor.ts";
import type { NodeSample, RedisSample } from "./sample.ts";
import { upNodes } from "./readings.ts";

/** Where writes are refused when maxmemory is reached, it is worth a word before. */
const FULL_WARNING_PCT = 85;
const FULL_CRITICAL_PCT = 95;

export function redisFindings(sample: RedisSample): Finding[] {
  const is_alone = sample.topology === "single";
  const findings = upNodes(sample).flatMap((node) => {
    const where = is_alone ? "" : `${node.address}: `;
    return nodeFindings(node).map(({ level, text }) => ({ level, text: where + text }));
  });
  for (const node of sample.nodes) {
    if (!node.up) findings.push({ level: "critical", text: `${node.role} is lost: ${node.reason}` });
  }
  return [...findings, ...clusterFindings(sample), ...sentinelFindings(sample)];
}

function nodeFindings(node: NodeSample): Finding[] {
  const findings: Finding[] = [];
  const say = (level: Finding["level"], text: string) => findings.push({ level, text });
  const { memory, master, persistence, pubsub } = node;
  if (node.loading) say("warning", "is loading its data");
  if (master && master.link !== "up") say("critical", `replication from ${master.address} is ${master.link}`);
  if (master?.sync_in_progress) say("warning", `full copy from ${master.address} in progress`);
  for (const replica of node.replicas) {
    if (replica.state !== "online") say("warning", `replica ${replica.address} is in state ${replica.state}`);
  }
  if (persistence.aof_write_failed) {
    say("critical", "the append-only file could not be written, writes are refused");
  }
  if (persistence.last_save_failed) say("warning", "the last snapshot could not be saved");
  const full_pct = memory.policy === "noeviction" ? memory.used_pct ?? 0 : 0;
  if (full_pct >= FULL_WARNING_PCT) {
    const level = full_pct >= FULL_CRITICAL_PCT ? "critical" : "warning";
    say(level, `memory ${percentText(full_pct)} of maxmemory, policy noeviction: writes are refused at 100%`);
  }
  for (const { address, name, buffer_bytes, closes_in_s, over_soft_s } of pubsub.fullest ?? []) {
    if (closes_in_s === undefined) continue;
    const who = name === "" ? address : `${address} (${name})`;
    say(
      "critical",
      `subscriber ${who} holds ${bytesText(buffer_bytes)}, over the soft limit of ${
        bytesText(pubsub.limits?.soft_bytes)
      } for ${secondsText(over_soft_s)}: closed in ${secondsText(closes_in_s)}`,
    );
  }
  return findings;
}

function clusterFindings({ cluster }: RedisSample): Finding[] {
  if (!cluster) return [];
  const findings: Finding[] = [];
  if (cluster.state !== "ok") findings.push({ level: "critical", text: `cluster state is ${cluster.state}` });
  for (const address of cluster.failing) {
    findings.push({ level: "warning", text: `the cluster holds ${address} for failing` });
  }
  if (cluster.slots_migrating > 0) {
    findings.push({ level: "warning", text: `${cluster.slots_migrating} slots are on the move` });
  }
  return findings;
}

function sentinelFindings({ sentinels = [] }: RedisSample): Finding[] {
  const findings: Finding[] = [];
  for (const { address, up, reason, master_down } of sentinels) {
    if (!up) findings.push({ level: "warning", text: `sentinel ${address} is lost: ${reason}` });
    else if (master_down) {
      findings.push({ level: "critical", text: `sentinel ${address} holds the master for down` });
    }
  }
  const masters = new Set(sentinels.filter(({ up }) => up).map(({ master }) => master));
  if (masters.size > 1) {
    findings.push({ level: "warning", text: `the sentinels name ${masters.size} different masters` });
  }
  return findings;
}
