/** Certificates for tests: signed by themselves but no authorities, for localhost and 127.0.0.1, valid for a day. */

/**
 * Writes `cert.pem` and `key.pem` into `folder`; `openssl` is the program's path.
 * @returns the certificate, PEM
 */
export async function makeCertificate(openssl: string, folder: string): Promise<string> {
  const { success, stderr } = await new Deno.Command(openssl, {
    args: [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
        .split(" "),
      ..."-addext basicConstraints=critical,CA:FALSE".split(" "),
      ..."-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem".split(" "),
    ],
    cwd: folder,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return await Deno.readTextFile(`${folder}/cert.pem`);
}
