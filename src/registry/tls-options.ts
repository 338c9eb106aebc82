import { rootCertificates } from "node:tls";

/** TLS and HTTP choices of one registry. They hold for its own origin only (security case A-19). */
export interface TransportOptions {
  /** Plain HTTP for this registry; loopback names may use it without being asked. */
  readonly plainHttp?: boolean | undefined;
  /** Accepts any certificate from this registry. */
  readonly insecure?: boolean | undefined;
  /** PEM certificates that are trusted beside the system's. */
  readonly ca?: string | undefined;
}

/** Certificate choices as `node:tls` takes them; `ca` stands beside the system's certificates, not in their place. */
export function tlsOptions({ insecure, ca }: TransportOptions): {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string[];
} {
  return { rejectUnauthorized: insecure !== true, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) };
}
