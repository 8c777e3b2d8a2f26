/**
 * /proc/net/tcp, tcp6, udp and udp6: what every Linux tells of its sockets when netlink is closed. No round trips and no
 * byte counts stand there; queues, states and owners do.
 */
import { addressText, AF_INET, AF_INET6 } from "./inet_diag_message.ts";
import { type SocketRow, TCP_STATES } from "./socket_table.ts";

/** Rows of one file; lines that are not of this form are skipped. */
export function readProcNet(text: string, protocol: "tcp" | "udp"): SocketRow[] {
  const rows: SocketRow[] = [];
  for (const line of text.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local, remote, state, queues, , , uid, , inode] = fields;
    const from = endpoint(local);
    const to = endpoint(remote);
    const queue = /^([0-9A-F]{8}):([0-9A-F]{8})$/i.exec(queues ?? "");
    if (!from || !to || !queue || inode === undefined) continue;
    const drops = protocol === "udp" ? Number(fields[12]) : NaN;
    rows.push({
      protocol,
      inode: Number(inode),
      uid: Number(uid),
      state: TCP_STATES[parseInt(state, 16)] ?? "unknown",
      local: from.address,
      local_port: from.port,
      remote: to.port === 0 ? "" : to.address,
      remote_port: to.port,
      receive_queue: parseInt(queue[2], 16),
      send_queue: parseInt(queue[1], 16),
      ...(Number.isInteger(drops) ? { drops } : {}),
    });
  }
  return rows;
}

/** Each 32-bit word of the address is printed as the machine holds it: bytes in reverse. */
function endpoint(text: string | undefined): { address: string; port: number } | undefined {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/i.exec(text ?? "");
  if (!match) return undefined;
  const [, hex, port] = match;
  const view = new DataView(new ArrayBuffer(hex.length / 2));
  for (let i = 0; i < hex.length; i += 8) view.setUint32(i / 2, parseInt(hex.slice(i, i + 8), 16), true);
  return { address: addressText(view, 0, hex.length === 8 ? AF_INET : AF_INET6), port: parseInt(port, 16) };
}
