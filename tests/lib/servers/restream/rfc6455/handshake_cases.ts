/** The opening handshake: RFC 6455 §4. */
import assert from "node:assert/strict";
import { ACCEPT, frame, type HandshakeOptions, TEXT } from "../../../../raw_websocket.ts";
import { expectEcho, pingText, type Rfc6455Case } from "./case.ts";

/** Handshakes that must be refused, by the rule they break. */
const BROKEN: readonly { section: string; what: string; options: HandshakeOptions; statuses: number[] }[] = [
  { section: "4.1.2", what: "a POST", options: { request: "POST / HTTP/1.1" }, statuses: [400, 405, 426] },
  { section: "4.2.1.1", what: "HTTP/1.0", options: { request: "GET / HTTP/1.0" }, statuses: [400, 426, 505] },
  { section: "4.2.1.2", what: "no Host", options: { headers: { Host: undefined } }, statuses: [400] },
  {
    section: "4.2.1.3",
    what: "no Upgrade",
    options: { headers: { Upgrade: undefined } },
    statuses: [400, 426],
  },
  {
    section: "4.2.1.3",
    what: "an upgrade to something else",
    options: { headers: { Upgrade: "h2c" } },
    statuses: [400, 426],
  },
  {
    section: "4.2.1.4",
    what: "no Connection: Upgrade",
    options: { headers: { Connection: "keep-alive" } },
    statuses: [400, 426],
  },
  {
    section: "4.2.1.5",
    what: "no key",
    options: { headers: { "Sec-WebSocket-Key": undefined } },
    statuses: [400],
  },
  {
    section: "4.2.1.5",
    what: "a key of fewer than 16 bytes",
    options: { headers: { "Sec-WebSocket-Key": "dG9vIHNob3J0" } },
    statuses: [400],
  },
  {
    section: "4.2.1.5",
    what: "a key that is no base64",
    options: { headers: { "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!!!" } },
    statuses: [400],
  },
  {
    section: "4.1.7",
    what: "two keys",
    options: {
      headers: {
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      },
    },
    statuses: [400],
  },
  {
    section: "4.2.1.6",
    what: "no version",
    options: { headers: { "Sec-WebSocket-Version": undefined } },
    statuses: [400, 426],
  },
  {
    section: "4.1.10",
    what: "subprotocols that are no tokens",
    options: { headers: { "Sec-WebSocket-Protocol": "mdg.v1.json,,," } },
    statuses: [400],
  },
  {
    section: "4.1.10",
    what: "a subprotocol named twice",
    options: { headers: { "Sec-WebSocket-Protocol": "mdg.v1.json, mdg.v1.json" } },
    statuses: [400],
  },
  { section: "3", what: "a path that is not served", options: { path: "/elsewhere" }, statuses: [404] },
];

export const HANDSHAKE_CASES: readonly Rfc6455Case[] = [
  {
    section: "4.2.2.5",
    says: "101, upgrade, connection, and the accept value of the RFC's own key",
    async run(peer) {
      const answer = await peer.knock();
      assert.equal(answer?.status, 101);
      assert.equal(answer.headers.get("upgrade")?.toLowerCase(), "websocket");
      assert.equal(answer.headers.get("connection")?.toLowerCase(), "upgrade");
      assert.equal(answer.headers.get("sec-websocket-accept"), ACCEPT);
    },
  },
  {
    section: "4.2.1",
    says: "names and values of Upgrade and Connection in any case, among others, in any order",
    async run(peer) {
      const headers = {
        Upgrade: undefined,
        Connection: undefined,
        upgrade: "WebSocket",
        CONNECTION: "keep-alive, UPGRADE",
      };
      assert.equal((await peer.knock({ headers }))?.status, 101);
    },
  },
  {
    section: "9.1",
    says: "an extension nobody agreed on is not in the answer",
    async run(peer) {
      const headers = { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-unknown" };
      const answer = await peer.knock({ headers });
      assert.equal(answer?.status, 101);
      assert.equal(answer.headers.get("sec-websocket-extensions"), undefined);
    },
  },
  {
    section: "4.2.2.5.5",
    says: "one of the subprotocols offered, and none where none was offered",
    async run(peer) {
      const chosen = async (offer: string | undefined) =>
        (await peer.knock({ headers: { "Sec-WebSocket-Protocol": offer } }))?.headers
          .get("sec-websocket-protocol");
      assert.equal(await chosen("soap, mdg.v1.binary"), "mdg.v1.binary");
      assert.equal(await chosen("mdg.v1.json"), "mdg.v1.json");
      assert.equal(await chosen(undefined), undefined);
    },
  },
  {
    section: "4.4",
    says: "another version is refused, with the one that would do",
    async run(peer) {
      for (const version of ["12", "14", "255", "abc", "-1"]) {
        const answer = await peer.knock({ headers: { "Sec-WebSocket-Version": version } });
        assert.ok(answer?.status === 400 || answer?.status === 426, `version ${version}: ${answer?.status}`);
        assert.match(answer.headers.get("sec-websocket-version") ?? "", /\b13\b/);
      }
    },
  },
  {
    section: "4.2.2",
    says: "a frame that comes along with the handshake is not lost",
    async run(peer) {
      using ws = await peer.open({ early: frame(TEXT, pingText("early")) });
      await expectEcho(ws, "early");
    },
  },
  ...BROKEN.map(({ section, what, options, statuses }): Rfc6455Case => ({
    section,
    says: `${what} is refused`,
    async run(peer) {
      const answer = await peer.knock(options);
      assert.ok(answer !== undefined, "ended without an answer");
      assert.ok(statuses.includes(answer.status), `answered ${answer.status}, want ${statuses.join(" or ")}`);
    },
  })),
];
