/**
 * Says at start what is wrong with a certificate and its key. The host's TLS server takes anything and then fails every
 * handshake without a word, so nothing may be served before this has looked.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { UserError } from "../base/errors.ts";

/** Of every server; older ones are broken (RFC 8996). */
export const MIN_TLS_VERSION = "TLSv1.2";

/** PEM texts: the chain with the server's own certificate first, and its private key. */
export interface TlsPair {
  cert: string;
  key: string;
}

/** @throws UserError where either is no PEM or they do not belong together */
export function checkTls({ cert, key }: TlsPair): void {
  const certificate = read("certificate", () => new X509Certificate(cert));
  const private_key: KeyObject = read("private key", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(private_key)) {
    throw new UserError(
      "use the TLS certificate: the private key is another's, want the one it was made for",
      {
        code: 2,
      },
    );
  }
}

function read<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UserError(`use the TLS ${what}: cannot be read, want PEM without a passphrase`, {
      code: 2,
      cause: error,
    });
  }
}
