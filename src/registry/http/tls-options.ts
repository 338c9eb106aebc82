import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { errorCode } from "../../util/error-code.ts";
import type { RateLimit } from "./rate-limit.ts";

/** Client certificate that identifies this machine to a registry. */
export interface ClientCertificate {
  /** PEM text of the certificate, with its chain. */
  readonly cert: string;
  /** PEM text of the private key. */
  readonly key: string;
  /** For an encrypted key. */
  readonly passphrase?: string | undefined;
}

/** TLS and HTTP options of one registry, valid only for its own origin (security case A-19). */
export interface TransportOptions {
  /** Plain HTTP for this registry; default for loopback names only. */
  readonly plainHttp?: boolean | undefined;
  /** Accepts any certificate from this registry. */
  readonly insecure?: boolean | undefined;
  /** PEM certificates that are trusted in addition to the system's. */
  readonly ca?: string | undefined;
  readonly clientCertificates?: readonly ClientCertificate[] | undefined;
  /** Milliseconds without a byte after which a connection counts as broken; default two minutes. */
  readonly idleMs?: number | undefined;
  /** Bytes per second that a body must reach, as far as the other side decides; 0 for none, default 1024. */
  readonly minRate?: number | undefined;
  /** Shared by all bodies of a run. */
  readonly rate?: RateLimit | undefined;
}

/** Files in which systems keep the certificates that their administrators trust. */
const SYSTEM_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
const UNTRUSTED: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * Reading the 140 certificates of a system takes 100 ms, so they are added when a server is not trusted without them.
 * They are the same for every registry of the process.
 */
let systemCertificates: readonly string[] | undefined;
let contexts = new WeakMap<TransportOptions, SecureContext>();

/**
 * Adds the system's certificates after a connection failed for an unknown one. True when there are more of them than at
 * the start of the request: then retry. Of several requests at the same time, the first to fail adds them for all.
 *
 * @param level `trustLevel()` at the start of the request.
 * @param env `SSL_CERT_FILE` names another file than the system's, as for OpenSSL.
 */
export function trustSystem(
  fault: unknown,
  level: number = trustLevel(),
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if (!isUntrusted(fault)) return false;
  if (systemCertificates !== undefined) return level < trustLevel();
  const named = env["SSL_CERT_FILE"];
  const system = firstReadable(named ? [named] : SYSTEM_FILES);
  // Node adds this file to its own certificates only while no others are named.
  const extra = env["NODE_EXTRA_CA_CERTS"] ? firstReadable([env["NODE_EXTRA_CA_CERTS"]]) : undefined;
  systemCertificates = [...(system === undefined ? rootCertificates : [system]), ...(extra ? [extra] : [])];
  contexts = new WeakMap();
  return true;
}

/** Changes when `trustSystem` adds certificates: earlier connections do not have them. */
export function trustLevel(): number {
  return systemCertificates === undefined ? 0 : 1;
}

/** Forgets what `trustSystem` found; for tests. */
export function forgetSystemTrust(): void {
  systemCertificates = undefined;
  contexts = new WeakMap();
}

/**
 * Certificate options as `node:tls` takes them; `ca` adds to the system's certificates.
 *
 * @throws Error of OpenSSL for a certificate or key that cannot be used.
 */
export function tlsOptions(options: TransportOptions): {
  readonly rejectUnauthorized: boolean;
  readonly secureContext?: SecureContext;
} {
  const { insecure, ca, clientCertificates = [] } = options;
  const rejectUnauthorized = insecure !== true;
  const isOwn = ca !== undefined || clientCertificates.length > 0 || systemCertificates !== undefined;
  if (!isOwn) return { rejectUnauthorized };
  const shared = ca === undefined && clientCertificates.length === 0 ? NOTHING_CHOSEN : options;
  const secureContext = contexts.get(shared) ?? createContext(shared);
  contexts.set(shared, secureContext);
  return { rejectUnauthorized, secureContext };
}

const NOTHING_CHOSEN: TransportOptions = {};

/** OpenSSL silently ignores what it cannot read. @throws Error for anything but PEM certificates */
function checkAuthorities(ca: string): void {
  const blocks = ca.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const begun = ca.match(/-----BEGIN CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.length < begun.length) throw new Error("no whole PEM certificate");
  for (const block of blocks) new X509Certificate(block);
}

function createContext({ ca, clientCertificates = [] }: TransportOptions): SecureContext {
  if (ca !== undefined) checkAuthorities(ca);
  const trusted = [...(systemCertificates ?? []), ...(ca === undefined ? [] : [ca])];
  return createSecureContext({
    ...(trusted.length === 0 ? {} : { ca: trusted }),
    ...(clientCertificates.length === 0
      ? {}
      : {
          cert: clientCertificates.map(({ cert }) => cert),
          key: clientCertificates.map(({ key, passphrase }) => ({
            pem: key,
            ...(passphrase === undefined ? {} : { passphrase }),
          })),
        }),
  });
}

function isUntrusted(fault: unknown): boolean {
  for (let error = fault; error instanceof Error; error = error.cause) {
    if (UNTRUSTED.has(errorCode(error))) return true;
  }
  return false;
}

function firstReadable(files: readonly string[]): string | undefined {
  for (const file of files) {
    try {
      const text = readFileSync(file, "utf8");
      if (text.includes("-----BEGIN")) return text;
    } catch {
      // The next file, or the certificates of Node.
    }
  }
  return undefined;
}
