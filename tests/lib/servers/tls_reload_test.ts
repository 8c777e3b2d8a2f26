import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import type { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { ManualClock } from "../../../lib/base/clock.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { FRONT_DOOR, FrontDoor } from "../../../lib/servers/access/front_door.ts";
import { openListener } from "../../../lib/servers/listen.ts";
import { openTls, TlsReload, tlsSchema } from "../../../lib/servers/tls_reload.ts";
import { makeCertificate } from "../../certificate.ts";
import { inFolder } from "../../in_folder.ts";
import { serviceTest } from "../../services.ts";
import { LogBook } from "./access/tenants_rig.ts";
import { z } from "zod";

const FILES = { cert_file: "cert.pem", key_file: "key.pem" };

async function withTls(
  openssl: string,
  body: (rig: {
    folder: string;
    tls: TlsReload;
    clock: ManualClock;
    log: LogBook;
    metrics: Metrics;
    reloads(result: string): number;
  }) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    await makeCertificate(openssl, folder);
    const [clock, log, metrics] = [new ManualClock(Date.now()), new LogBook(), new Metrics()];
    const context = { clock, log, metrics, cwd: folder, server: "restream" };
    await using tls = await openTls(tlsSchema.parse(FILES), context);
    const reloads = (result: string) =>
      metrics.counter("tls_certificate_reloads_total", "", ["server", "result"]).with("restream", result)
        .value;
    await body({ folder, tls, clock, log, metrics, reloads });
  });
}

/** A TLS connection that is open. */
function dial(address: string, options: Record<string, unknown> = {}): Promise<TLSSocket> {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port),
      rejectUnauthorized: false,
      servername: "localhost",
      ...options,
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => resolve(socket));
  });
}

/** What a client without a memory is shown: one of this runtime resumes its last session, with the certificate of then. */
async function serialAt(openssl: string, address: string): Promise<string> {
  const { stdout } = await new Deno.Command(openssl, {
    args: ["s_client", "-connect", address],
    stdin: "null",
  })
    .output();
  const [pem] = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(
    new TextDecoder().decode(stdout),
  )!;
  return new X509Certificate(pem).serialNumber;
}

serviceTest(
  "openssl",
  "tls: a new certificate is used by new connections, and open ones live on",
  async (openssl) => {
    await withTls(openssl, async ({ folder, tls, reloads, metrics }) => {
      const listener = await openListener({
        listen: "127.0.0.1:0",
        flag: "--listen",
        max_connections: 100,
        tls,
      });
      listener.server.on("request", (_request, response) => response.end("still here"));
      const before = await dial(listener.address);
      const serials = [await serialAt(openssl, listener.address)];
      const expiry = metrics.gauge("tls_certificate_expires_timestamp_seconds", "", ["server"]).with(
        "restream",
      );
      const first_expiry = expiry.value;
      assert.ok(first_expiry > Date.now() / 1000 + 80_000);
      for (let i = 0; i < 3; i++) {
        await makeCertificate(openssl, folder);
        await tls.reload();
        serials.push(await serialAt(openssl, listener.address));
      }
      assert.equal(new Set(serials).size, 4, `${serials}`);
      assert.equal(reloads("ok"), 3);
      assert.ok(expiry.value >= first_expiry);
      // the connection from before them all still speaks
      const said = new Promise<string>((resolve) => before.once("data", (data) => resolve(String(data))));
      before.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
      assert.match(await said, /still here/);
      before.destroy();
      await listener.close();
    });
  },
);

serviceTest(
  "openssl",
  "tls: clients that connect all the while lose nothing to a change",
  async (openssl) => {
    await withTls(openssl, async ({ folder, tls, reloads }) => {
      const listener = await openListener({
        listen: "127.0.0.1:0",
        flag: "--listen",
        max_connections: 1_000,
        tls,
      });
      listener.server.on("request", (_request, response) => response.end("ok"));
      const [host, port] = listener.address.split(":");
      let going = true;
      let answered = 0;
      const failures: string[] = [];
      const client = async () => {
        while (going) {
          await new Promise<void>((resolve) => {
            const one = request({ host, port, rejectUnauthorized: false, agent: false }, (response) => {
              response.resume().once("end", () => {
                answered++;
                resolve();
              });
            });
            one.once("error", (error) => {
              failures.push(error.message);
              resolve();
            });
            one.end();
          });
        }
      };
      const clients = Array.from({ length: 8 }, client);
      for (let i = 0; i < 5; i++) {
        await makeCertificate(openssl, folder);
        await tls.reload();
      }
      going = false;
      await Promise.all(clients);
      assert.equal(reloads("ok"), 5);
      assert.deepEqual(failures, []);
      assert.ok(answered > 20, `${answered}`);
      await listener.close();
    });
  },
);

serviceTest(
  "openssl",
  "tls: a pair that does not fit, is half written or vanished leaves the old one in force",
  async (openssl) => {
    await withTls(openssl, async ({ folder, tls, log, reloads }) => {
      const listener = await openListener({
        listen: "127.0.0.1:0",
        flag: "--listen",
        max_connections: 100,
        tls,
      });
      const serial = () => serialAt(openssl, listener.address);
      const first = await serial();
      const [old_cert, old_key] = await Promise.all(
        ["cert", "key"].map((name) => Deno.readTextFile(`${folder}/${name}.pem`)),
      );
      await makeCertificate(openssl, folder);
      const [cert, key] = await Promise.all(
        ["cert", "key"].map((name) => Deno.readTextFile(`${folder}/${name}.pem`)),
      );
      const refused: [string, string, RegExp][] = [
        [cert, old_key, /private key is another's/],
        [cert.slice(0, 200), key, /TLS certificate: cannot be read/],
        [cert, key.slice(0, 100), /TLS private key: cannot be read/],
        ["", "", /cannot be read/],
        [key, key, /cannot be read/],
      ];
      for (const [i, [bad_cert, bad_key, said]] of refused.entries()) {
        await Deno.writeTextFile(`${folder}/cert.pem`, bad_cert);
        await Deno.writeTextFile(`${folder}/key.pem`, bad_key);
        await tls.reload();
        assert.match(log.lines.at(-1)!, said);
        assert.match(log.lines.at(-1)!, /the old one stays in force/);
        assert.equal(reloads("failed"), i + 1);
        assert.equal(await serial(), first);
        assert.equal(tls.pair.cert, old_cert);
      }
      await Deno.remove(`${folder}/key.pem`);
      await tls.reload();
      assert.match(log.lines.at(-1)!, /no such file/);
      assert.equal(await serial(), first);
      await Deno.writeTextFile(`${folder}/cert.pem`, cert);
      await Deno.writeTextFile(`${folder}/key.pem`, key);
      await tls.reload();
      assert.notEqual(await serial(), first);
      // no line of the log holds a piece of a key
      const body = [key, old_key].flatMap((pem) =>
        pem.split("\n").filter((line) => line.length > 20 && !line.includes("-----"))
      );
      assert.ok(body.length > 2);
      for (const line of body) assert.ok(!log.lines.some((said) => said.includes(line)));
      await listener.close();
    });
  },
);

serviceTest(
  "openssl",
  "tls: nothing older than 1.2 is spoken, before and after a change",
  async (openssl) => {
    await withTls(openssl, async ({ folder, tls }) => {
      const listener = await openListener({
        listen: "127.0.0.1:0",
        flag: "--listen",
        max_connections: 100,
        tls,
      });
      const speak = async (version: string) => {
        // another implementation: the runtime's own client knows no old versions either
        const { success, stdout } = await new Deno.Command(openssl, {
          args: ["s_client", "-connect", listener.address, `-${version}`, "-cipher", "ALL:@SECLEVEL=0"],
          stdin: "null",
        }).output();
        return success && /Cipher is (?!\(NONE\))/.test(new TextDecoder().decode(stdout));
      };
      for (const when of ["before", "after"]) {
        for (
          const [version, wanted] of [["tls1", false], ["tls1_1", false], ["tls1_2", true], [
            "tls1_3",
            true,
          ]] as const
        ) {
          assert.equal(await speak(version), wanted, `${version} ${when}`);
        }
        await makeCertificate(openssl, folder);
        await tls.reload();
      }
      await listener.close();
    });
  },
);

serviceTest("openssl", "tls: a runtime that cannot swap says so once, and counts", async (openssl) => {
  await withTls(openssl, async ({ folder, tls, log, reloads }) => {
    tls.follow({});
    const old = tls.pair;
    for (let i = 0; i < 2; i++) {
      await makeCertificate(openssl, folder);
      await tls.reload();
    }
    assert.equal(reloads("unable"), 2);
    assert.equal(log.lines.filter((line) => line.includes("takes a restart")).length, 1);
    assert.equal(tls.pair, old);
  });
});

serviceTest("openssl", "tls: what cannot work is refused at start", async (openssl) => {
  await inFolder(async (folder) => {
    await makeCertificate(openssl, folder);
    const context = {
      clock: new ManualClock(),
      log: new LogBook(),
      metrics: new Metrics(),
      cwd: folder,
      server: "restream",
    };
    await assert.rejects(
      openTls(tlsSchema.parse({ ...FILES, key_file: "none.pem" }), context),
      /private key "[^"]*none.pem": there is no such file/,
    );
    await assert.rejects(
      openTls(tlsSchema.parse({ ...FILES, key_file: "cert.pem" }), context),
      /TLS private key/,
    );
    const [cert, key] = await Promise.all(
      ["cert", "key"].map((name) => Deno.readTextFile(`${folder}/${name}.pem`)),
    );
    await using inline = await openTls(tlsSchema.parse({ cert, key }), context);
    assert.equal(inline.pair.cert, cert);
    for (
      const wrong of [{}, { cert_file: "a" }, { ...FILES, cert, key }, { cert_file: "a", key }, { cert }]
    ) {
      assert.ok(!tlsSchema.safeParse(wrong).success, Object.keys(wrong).join());
    }
    const later = new Date("2100-01-01").getTime();
    const log = new LogBook();
    await using _old = new TlsReload({ cert, key }, { ...context, log, clock: new ManualClock(later) });
    assert.match(log.lines[0], /has expired/);
  });
});

serviceTest(
  "openssl",
  "tls: the front door knows a connection by its TCP and by its TLS socket",
  async (openssl) => {
    await withTls(openssl, async ({ tls, metrics, clock }) => {
      const config = z.object(FRONT_DOOR).parse({ max_connections_per_address: 2 });
      const door = new FrontDoor(config, clock, metrics);
      const left = [1, 2, 3].map(() => Promise.withResolvers<void>());
      let closed = 0;
      const listener = await openListener({
        listen: "127.0.0.1:0",
        flag: "--listen",
        max_connections: 100,
        tls,
        accept(socket: Socket) {
          const is_welcome = door.accept(socket);
          // after the door's own listener
          socket.once("close", () => left[closed++]?.resolve());
          return is_welcome;
        },
      });
      listener.server.on("request", (request, response) => {
        const answer = door.admit(request);
        door.authenticated(request.socket);
        response.end(JSON.stringify({ answer, unauthenticated: door.unauthenticated, open: door.open }));
      });
      const sockets = [await dial(listener.address), await dial(listener.address)];
      assert.equal(door.unauthenticated, 2, "counted before they said a word");
      const said = new Promise<string>((resolve) => sockets[0].once("data", (data) => resolve(String(data))));
      sockets[0].write("GET /ws HTTP/1.1\r\nhost: localhost\r\n\r\n");
      assert.match(
        await said,
        /\{"answer":\{"peer":\{"address":"127\.0\.0\.1"\}\},"unauthenticated":1,"open":2\}/,
      );
      await assert.rejects(dial(listener.address), "a third is cut before TLS");
      for (const socket of sockets) socket.destroy();
      await Promise.all(left.map(({ promise }) => promise));
      assert.deepEqual([door.open, door.unauthenticated], [0, 0]);
      await listener.close();
    });
  },
);
