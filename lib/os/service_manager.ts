/**
 * The sd_notify protocol towards whoever started this process (systemd): one datagram to the socket that NOTIFY_SOCKET
 * names, by path or, with "@", by abstract name. Sent natively: the runtime cannot address abstract sockets.
 */
import { O_CLOEXEC, processCalls } from "./process_calls.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** sockaddr_un: two bytes of family, 108 of path. */
const MAX_PATH_BYTES = 108;
const MSG_NOSIGNAL_DONTWAIT = 0x4040;

/** False when nobody took it. `socket` is what NOTIFY_SOCKET holds. */
export function notifyServiceManager(socket: string, message: string): boolean {
  const path = new TextEncoder().encode(socket);
  if (path.length === 0 || path.length >= MAX_PATH_BYTES) return false;
  const address = new Uint8Array(2 + MAX_PATH_BYTES);
  address[0] = AF_UNIX;
  address.set(path, 2);
  const is_abstract = socket.startsWith("@");
  if (is_abstract) address[2] = 0;
  const address_bytes = 2 + path.length + (is_abstract ? 0 : 1);
  const { socket: open, sendto, close } = processCalls();
  const fd = open(AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0);
  if (fd < 0) return false;
  const bytes = new TextEncoder().encode(message);
  const sent = sendto(fd, bytes, BigInt(bytes.length), MSG_NOSIGNAL_DONTWAIT, address, address_bytes);
  close(fd);
  return Number(sent) === bytes.length;
}
