import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { UsageError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { counted, formatDuration } from "../../util/format.ts";

/** What a server shows of itself over TLS. */
export interface ServerTls {
  /** PEM text of its certificate, followed by those of the authorities between it and the root. */
  readonly cert: string;
  /** PEM text of the private key of the first certificate. */
  readonly key: string;
  /** For an encrypted key. */
  readonly passphrase?: string | undefined;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const DAY_MS = 24 * 3_600_000;
const SOON_MS = 14 * DAY_MS;

/**
 * Checks that a server can use them.
 *
 * @param now milliseconds since 1970.
 * @returns what clients will refuse, now or soon, as sentences.
 * @throws UsageError for texts that are not PEM, an encrypted key without its passphrase, and the key of another certificate.
 */
export function checkServerTls({ cert, key, passphrase }: ServerTls, now: number): readonly string[] {
  const certificates = parseCertificates(cert);
  const own = parseKey(key, passphrase);
  const [first] = certificates;
  if (first === undefined || !first.checkPrivateKey(own)) {
    const isLater = certificates.some(each => each.checkPrivateKey(own));
    throw new UsageError(
      "Cannot use the private key for TLS: it belongs to another certificate, expected the first one",
      {
        hint: isLater
          ? "Put the server's own certificate before the others of the file."
          : "Name the files of one pair.",
      },
    );
  }
  try {
    createSecureContext({ cert, key: own.export({ type: "pkcs8", format: "pem" }) });
  } catch (cause) {
    const code = errorCode(cause);
    throw new UsageError(
      `Cannot use the certificate for TLS: refused by OpenSSL (${code}), expected one that it takes`,
      {
        hint: "Make a key of RSA with 2048 bits or more, or of an elliptic curve.",
        cause,
      },
    );
  }
  return validityNotes(first, now);
}

function parseCertificates(text: string): readonly X509Certificate[] {
  const blocks = text.match(BLOCK) ?? [];
  try {
    if (blocks.length > 0) return blocks.map(block => new X509Certificate(block));
  } catch {
    // As without one.
  }
  throw new UsageError("Cannot use the certificate for TLS: found no certificate that can be read, expected PEM", {
    hint: "A PEM file begins with -----BEGIN CERTIFICATE-----.",
  });
}

function parseKey(key: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    const isLocked = /ENCRYPTED/.test(key);
    if (isLocked && passphrase === undefined) {
      throw new UsageError("Cannot use the private key for TLS: it is encrypted, expected its passphrase", {
        hint: "Set IMGPACK_KEY_PASSPHRASE.",
        cause,
      });
    }
    const found = isLocked ? "the passphrase does not fit" : "found no key that can be read";
    throw new UsageError(`Cannot use the private key for TLS: ${found}, expected PEM of one key`, { cause });
  }
}

function validityNotes({ validFrom, validTo }: X509Certificate, now: number): readonly string[] {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  if (to <= now) return [`The certificate expired on ${dayOf(to)}: clients will refuse it`];
  if (from > now) return [`The certificate is not valid before ${dayOf(from)}: clients will refuse it until then`];
  if (to - now < SOON_MS) return [`The certificate expires on ${dayOf(to)}, ${timeLeft(to - now)}`];
  return [];
}

function timeLeft(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  return days === 0 ? `in ${formatDuration(ms / 1000)}` : `in ${counted(days, "day")}`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
