import { readFile } from "node:fs/promises";
import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { RegistryOptions } from "../../index.ts";
import { mannerFlags, mannerOptions, type RetryFlags } from "./retry-flags.ts";

/** Flags of every command that talks to a registry. */
export interface RegistryFlags extends ConnectionFlags {
  readonly registry?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
  readonly tokenStdin?: boolean | undefined;
}

export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly progress?: string | undefined;
}

export interface TransferFlags extends RegistryFlags, OutputFlags, RetryFlags {
  readonly concurrency?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

export function outputFlags<T>(parser: Argv<T>): Argv<T & OutputFlags> {
  return parser
    .option("json", { type: "boolean", describe: "print one JSON object on stdout" })
    .option("quiet", { type: "boolean", describe: "no progress and no notes on stderr" })
    .option("verbose", { type: "boolean", describe: "with an error, print its causes" })
    .option("progress", {
      requiresArg: true,
      choices: ["auto", "plain", "json", "none"],
      describe: "form of the progress on stderr",
    });
}

export function registryFlags<T>(parser: Argv<T>): Argv<T & RegistryFlags> {
  return connectionFlags(parser)
    .option("registry", { type: "string", requiresArg: true, describe: "registry host[:port]" })
    .option("username", { type: "string", requiresArg: true, describe: "user of the registry" })
    .option("password-stdin", { type: "boolean", describe: "read the password from stdin" })
    .option("token-stdin", { type: "boolean", describe: "read an access token from stdin" });
}

/** Flags that say how a connection is made. */
export interface ConnectionFlags {
  readonly plainHttp?: boolean | undefined;
  readonly insecure?: boolean | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export function connectionFlags<T>(parser: Argv<T>): Argv<T & ConnectionFlags> {
  return parser
    .option("plain-http", { type: "boolean", describe: "talk HTTP without TLS" })
    .option("insecure", { type: "boolean", describe: "accept any certificate" })
    .option("ca-file", { type: "string", requiresArg: true, describe: "PEM file of certificates to trust" })
    .option("cert-file", { type: "string", requiresArg: true, describe: "PEM file of the client certificate" })
    .option("key-file", { type: "string", requiresArg: true, describe: "PEM file of its key" });
}

export function transferFlags<T>(parser: Argv<T>): Argv<T & TransferFlags> {
  return mannerFlags(outputFlags(registryFlags(parser)))
    .option("concurrency", { type: "number", requiresArg: true, describe: "blobs at once (6)" })
    .option("dry-run", { type: "boolean", describe: "plan only" });
}

/** @throws a usage fault for a bad file, or for two secrets on one stdin. */
export async function registryOptions(flags: RegistryFlags & RetryFlags): Promise<RegistryOptions> {
  const { username, passwordStdin, tokenStdin } = flags;
  if (passwordStdin && tokenStdin) {
    throw new UsageError("Cannot use --token-stdin: --password-stdin given as well, expected one of them");
  }
  const secret = passwordStdin || tokenStdin ? await readSecret(passwordStdin ? "password" : "token") : undefined;
  return {
    username,
    ...(passwordStdin ? { password: secret } : {}),
    ...(tokenStdin ? { token: secret } : {}),
    ...(await connectionOptions(flags)),
    ...mannerOptions(flags),
  };
}

type ConnectionOptions = Pick<RegistryOptions, "plainHttp" | "insecure" | "ca" | "clientCertificate">;

/** @throws a usage fault for a bad file. */
export async function connectionOptions(flags: ConnectionFlags): Promise<ConnectionOptions> {
  const { plainHttp, insecure, caFile, certFile, keyFile } = flags;
  const ca = caFile === undefined ? undefined : await readPem("--ca-file", caFile, "CERTIFICATE");
  if (certFile === undefined && keyFile === undefined) return { plainHttp, insecure, ca };
  if (certFile === undefined || keyFile === undefined) {
    const [given, missing] = certFile === undefined ? ["--key-file", "--cert-file"] : ["--cert-file", "--key-file"];
    throw new UsageError(`Cannot use ${given}: no ${missing} given, expected both`);
  }
  const cert = await readPem("--cert-file", certFile, "CERTIFICATE");
  const key = await readPem("--key-file", keyFile, "PRIVATE KEY");
  const passphrase = process.env["IMGPACK_KEY_PASSPHRASE"] || undefined;
  return { plainHttp, insecure, ca, clientCertificate: { cert, key, passphrase } };
}

export function checkConcurrency(value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= 64)) return value;
  const found = Number.isNaN(value) ? "no number" : String(value);
  throw new UsageError(`Cannot use --concurrency: found ${found}, expected a whole number from 1 to 64`);
}

/** One line of stdin. @throws a usage fault when there is none. */
export async function readSecret(what: "password" | "token"): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
  const secret = Buffer.concat(parts)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (secret !== "") return secret;
  throw new UsageError(`Cannot read ${what} from stdin: nothing came, expected one line`);
}

async function readPem(flag: string, path: string, block: "CERTIFICATE" | "PRIVATE KEY"): Promise<string> {
  const kind = block === "CERTIFICATE" ? "certificate" : "private key";
  const expected = block === "CERTIFICATE" ? "PEM certificates" : "a PEM private key";
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new UsageError(`Cannot read ${flag} ${JSON.stringify(path)}: no readable file, expected ${expected}`, {
      cause,
    });
  }
  if (text.includes(`${block}-----`)) return text;
  throw new UsageError(`Cannot read ${flag} ${JSON.stringify(path)}: no ${kind} in it, expected ${expected}`);
}
