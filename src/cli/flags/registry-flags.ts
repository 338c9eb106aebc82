import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { RegistryOptions } from "../../index.ts";
import { readText } from "../../util/input-file.ts";
import { type ConnectionFlags, connectionFlags, tlsFromFlags } from "./connection-flags.ts";
import { type ListFlags, stdinLists } from "./list-flags.ts";
import { type RetryFlags, retryFlags, retryOptions } from "./retry-flags.ts";
import { checkStdinUses, refuseTerminal } from "./stdin-input.ts";
import type { V1Flags } from "./v1-flags.ts";

/** Flags of every command that connects to a registry. */
export interface RegistryFlags extends ConnectionFlags, RetryFlags {
  readonly registry?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
  readonly tokenStdin?: boolean | undefined;
}

/** What `--registry` means to a command that reads from a registry. */
export const READ_REGISTRY = "registry of names that have none (default: $IMGPACK_REGISTRY, else Docker Hub)";
/** What `--registry` means to a command that writes to a registry. */
export const WRITE_REGISTRY = "registry of names that have none (default $IMGPACK_REGISTRY)";

/** `--mirror` of the commands that pull. */
export const MIRROR = {
  group: "Registry",
  type: "string",
  array: true,
  requiresArg: true,
  nargs: 1,
  describe: "mirror to ask before those of registries.conf and the registry (default none)",
} as const;

/** @param registry help text of `--registry`. */
export function registryFlags<T>(parser: Argv<T>, registry: string): Argv<T & RegistryFlags> {
  const own = parser
    .option("registry", { group: "Registry", type: "string", requiresArg: true, describe: registry })
    .option("username", {
      alias: "u",
      group: "Registry",
      type: "string",
      requiresArg: true,
      describe: "user name, with --password-stdin (default: stored credentials)",
    })
    .option("password-stdin", { group: "Registry", type: "boolean", describe: "read the password from stdin" })
    .option("token-stdin", { group: "Registry", type: "boolean", describe: "read an access token from stdin" });
  return retryFlags(connectionFlags(own));
}

/**
 * @param inputs of the command, of which "-" is stdin.
 * @throws UsageError for a bad PEM file, for a number out of range, or for stdin used twice.
 */
export async function registryFromFlags(
  flags: RegistryFlags & ListFlags & V1Flags,
  signal: AbortSignal,
  inputs: readonly string[] = [],
): Promise<RegistryOptions> {
  const { username, passwordStdin, tokenStdin } = flags;
  if (passwordStdin && tokenStdin) {
    throw new UsageError("Cannot use --token-stdin: --password-stdin given as well, expected one of them");
  }
  checkStdinUses([...inputs.map(input => input === "-"), passwordStdin || tokenStdin, ...stdinLists(flags)]);
  const secret =
    passwordStdin || tokenStdin ? await readSecret(passwordStdin ? "password" : "token", signal) : undefined;
  return {
    host: flags.registry,
    defaultHost: process.env["IMGPACK_REGISTRY"],
    auth: { username, password: passwordStdin ? secret : undefined, token: tokenStdin ? secret : undefined },
    tls: await tlsFromFlags(flags, signal),
    ...retryOptions(flags),
    v1Path: flags.v1Path,
    v1Endpoint: flags.endpoint,
  };
}

/** Reads stdin to its end, without the final line break. @throws UsageError for an empty stdin, or a terminal. */
export async function readSecret(what: "password" | "token", signal: AbortSignal): Promise<string> {
  refuseTerminal("-", what, 'Pipe it in, or run "imgpack login HOST", which asks for it.');
  const secret = (await readText(process.stdin, signal)).replace(/\r?\n$/, "");
  if (secret !== "") return secret;
  throw new UsageError(`Cannot read ${what} from stdin: it is empty, expected one line`);
}
