/** `postgres://user@host:port/database?sslmode=…`, read once, with the password apart. */

/** `require`: encrypted, the server's name unchecked. `verify-full`: its certificate must be good for the host. */
export type SslMode = "disable" | "require" | "verify-full";
const SSL_MODES: readonly SslMode[] = ["disable", "require", "verify-full"];

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly ssl_mode: SslMode;
  /** For people: no credentials. */
  readonly shown: string;
}

/** Undefined when the text is no such URL. */
export function readPostgresUrl(text: string): PostgresAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if ((url.protocol !== "postgres:" && url.protocol !== "postgresql:") || url.hostname === "") {
    return undefined;
  }
  const others = [...url.searchParams.keys()].filter((key) => key !== "sslmode");
  const ssl_mode = SSL_MODES.find((mode) => mode === (url.searchParams.get("sslmode") ?? "disable"));
  if (others.length > 0 || ssl_mode === undefined || url.hash !== "") return undefined;
  try {
    const database = decodeURIComponent(url.pathname.slice(1)) || undefined;
    const port = Number(url.port || 5432);
    return {
      host: decodeURIComponent(url.hostname).replace(/^\[|\]$/g, ""),
      port,
      user: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      database,
      ssl_mode,
      shown: `postgres://${url.hostname}:${port}/${database ?? ""}`,
    };
  } catch {
    return undefined;
  }
}
