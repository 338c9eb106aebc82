import { readFile } from "node:fs/promises";
import type { Argv } from "yargs";
import type { RegistryOptions } from "../index.ts";
import { commandFault } from "./fault.ts";

/** Flags of every command that talks to a registry. */
export interface RegistryFlags {
  readonly registry?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
  readonly plainHttp?: boolean | undefined;
  readonly insecure?: boolean | undefined;
  readonly caFile?: string | undefined;
}

export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly progress?: string | undefined;
}

export interface TransferFlags extends RegistryFlags, OutputFlags {
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
  return parser
    .option("registry", { type: "string", requiresArg: true, describe: "registry host[:port]" })
    .option("username", { type: "string", requiresArg: true, describe: "user of the registry" })
    .option("password-stdin", { type: "boolean", describe: "read the password from stdin" })
    .option("plain-http", { type: "boolean", describe: "talk HTTP without TLS" })
    .option("insecure", { type: "boolean", describe: "accept any certificate" })
    .option("ca-file", { type: "string", requiresArg: true, describe: "PEM file of certificates to trust" });
}

export function transferFlags<T>(parser: Argv<T>): Argv<T & TransferFlags> {
  return outputFlags(registryFlags(parser))
    .option("concurrency", { type: "number", requiresArg: true, describe: "blobs at once (6)" })
    .option("dry-run", { type: "boolean", describe: "plan only" });
}

/** @throws a usage fault for a bad file or number. */
export async function registryOptions(flags: RegistryFlags): Promise<RegistryOptions> {
  const { username, plainHttp, insecure, caFile } = flags;
  const password = flags.passwordStdin ? await readPassword() : undefined;
  return { username, password, plainHttp, insecure, ca: caFile === undefined ? undefined : await readCa(caFile) };
}

export function checkConcurrency(value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= 64)) return value;
  const found = Number.isNaN(value) ? "no number" : String(value);
  throw commandFault(`Cannot use --concurrency: found ${found}, expected a whole number from 1 to 64`);
}

async function readPassword(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
  const password = Buffer.concat(parts)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (password !== "") return password;
  throw commandFault("Cannot read password from stdin: nothing came, expected one line");
}

async function readCa(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw commandFault(
      `Cannot read --ca-file ${JSON.stringify(path)}: no readable file, expected PEM certificates`,
      cause,
    );
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw commandFault(`Cannot read --ca-file ${JSON.stringify(path)}: no certificate in it, expected PEM certificates`);
}
