import type { Argv } from "yargs";
import type { RemoteOptions } from "../../../index.ts";
import type { Context } from "../../context.ts";
import { type ConnectionFlags, connectionFlags } from "../../flags/connection-flags.ts";
import { type OutputFlags, outputFlags } from "../../flags/output-flags.ts";
import { registryFromFlags } from "../../flags/registry-flags.ts";
import { type RetryFlags, retryFlags } from "../../flags/retry-flags.ts";
import { V1_PATH } from "../../flags/v1-flags.ts";
import { createEventSink } from "../../output/event-sink.ts";

/** Flags of every command of `hub`. */
export interface IndexFlags extends ConnectionFlags, RetryFlags, OutputFlags {
  readonly v1Path?: string | undefined;
}

/** Flags of those that can log in. */
export interface HubFlags extends IndexFlags {
  readonly username?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
}

export const INDEX = "index as v1://HOST[:PORT] (default v1://index.docker.io)";
export const REPOSITORY = "repository as [v1://HOST[:PORT]/][NAMESPACE/]REPOSITORY (default host index.docker.io)";

/** How an index is reached. */
export function indexFlags<T>(parser: Argv<T>): Argv<T & IndexFlags> {
  return outputFlags(retryFlags(connectionFlags(parser))).option("v1-path", V1_PATH);
}

/** As `indexFlags`, for commands that can log in. */
export function hubFlags<T>(parser: Argv<T>): Argv<T & HubFlags> {
  return indexFlags(parser)
    .option("username", {
      group: "Registry",
      alias: "u",
      type: "string",
      requiresArg: true,
      describe: "user name, with --password-stdin (default: stored credentials)",
    })
    .option("password-stdin", { group: "Registry", type: "boolean", describe: "read the password from stdin" });
}

/** @param inputs of the command, of which "-" is stdin. */
export async function hubOptions(
  flags: HubFlags,
  context: Context,
  inputs: readonly string[] = [],
): Promise<RemoteOptions> {
  const registry = await registryFromFlags(flags, context.signal, inputs);
  const onProgress = createEventSink(context, flags);
  return {
    registry: { ...registry, host: undefined, defaultHost: undefined },
    onProgress,
    signal: context.signal,
  };
}
