/** Why a connection ended, and how the client is told: RFC 6455 §7.4 codes, 4000–4499 come back, 4500–4999 do not. */
export type CloseReason =
  | "left"
  | "lost"
  | "protocol_error"
  | "binary"
  | "flood"
  | "slow"
  | "no_pong"
  | "shutdown"
  | "evicted"
  | "kicked"
  | "unauthorized"
  | "expired"
  | "revoked"
  | "too_many_connections";

export const CLOSES: Partial<Record<CloseReason, { code: number; text: string }>> = {
  binary: { code: 1003, text: "binary message: want JSON text" },
  flood: { code: 1008, text: "too many errors or requests: slow down and come back" },
  slow: { code: 4008, text: "slow reader: queue full, come back and subscribe with resume" },
  shutdown: { code: 1001, text: "server shuts down" },
  evicted: {
    code: 4009,
    text: "evicted: memory of the server is short, come back and subscribe with resume",
  },
  kicked: { code: 4010, text: "ended by the operator" },
  unauthorized: { code: 4501, text: "no valid token" },
  expired: { code: 4502, text: "the token expired: come back with a new one" },
  revoked: { code: 4503, text: "the key was revoked" },
  too_many_connections: { code: 4504, text: "all connections of the tenant are in use" },
};
