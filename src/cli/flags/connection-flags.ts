import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { ClientCertificate as KeyPair, RegistryTls } from "../../index.ts";
import { quote } from "../../util/format.ts";
import { readFlagFile } from "./flag-file.ts";

/** Flags that decide how a connection to a registry is made. */
export interface ConnectionFlags {
  readonly plainHttp?: boolean | undefined;
  readonly insecure?: boolean | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export function connectionFlags<T>(parser: Argv<T>): Argv<T & ConnectionFlags> {
  return parser
    .option("plain-http", {
      group: "Registry",
      type: "boolean",
      describe: "use HTTP without TLS (default for loopback addresses only)",
    })
    .option("insecure", { group: "Registry", type: "boolean", describe: "use TLS, but accept any certificate" })
    .option("ca-file", {
      group: "Registry",
      type: "string",
      requiresArg: true,
      describe: "PEM file of authorities to trust in addition to the usual ones (default: those in certs.d)",
    })
    .option("cert-file", {
      group: "Registry",
      type: "string",
      requiresArg: true,
      describe: "PEM file of the client certificate (default: the one in certs.d)",
    })
    .option("key-file", {
      group: "Registry",
      type: "string",
      requiresArg: true,
      describe: "PEM file of the client certificate's key (default: the one in certs.d)",
    });
}

/** @throws UsageError for a PEM file that is missing or contains something else. */
export async function tlsFromFlags(flags: ConnectionFlags, signal: AbortSignal): Promise<RegistryTls> {
  const { plainHttp, insecure, caFile } = flags;
  const ca = caFile === undefined ? undefined : await readPem("--ca-file", caFile, "CERTIFICATE", signal);
  return { plainHttp, insecure, ca, clientCertificate: await keyPairFromFlags(flags, signal) };
}

/**
 * Reads `--cert-file` and `--key-file`, and the passphrase of the key from the environment.
 *
 * @throws UsageError for one without the other, and for a PEM file that is missing or contains something else.
 */
export async function keyPairFromFlags(
  { certFile, keyFile }: Pick<ConnectionFlags, "certFile" | "keyFile">,
  signal: AbortSignal,
): Promise<KeyPair | undefined> {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const [given, missing] = certFile === undefined ? ["--key-file", "--cert-file"] : ["--cert-file", "--key-file"];
    throw new UsageError(`Cannot use ${given}: no ${missing} given, expected both`);
  }
  const cert = await readPem("--cert-file", certFile, "CERTIFICATE", signal);
  const key = await readPem("--key-file", keyFile, "PRIVATE KEY", signal);
  const passphrase = process.env["IMGPACK_KEY_PASSPHRASE"] || undefined;
  return { cert, key, passphrase };
}

async function readPem(
  flag: string,
  path: string,
  block: "CERTIFICATE" | "PRIVATE KEY",
  signal: AbortSignal,
): Promise<string> {
  const kind = block === "CERTIFICATE" ? "certificate" : "private key";
  const expected = block === "CERTIFICATE" ? "PEM certificates" : "a PEM private key";
  const text = await readFlagFile(flag, path, expected, signal);
  if (text.includes(`${block}-----`)) return text;
  throw new UsageError(`Cannot read ${flag} ${quote(path)}: no ${kind} in it, expected ${expected}`);
}
