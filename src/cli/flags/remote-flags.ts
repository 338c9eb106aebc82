import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { ProgressEvent, RemoteOptions } from "../../index.ts";
import { escapeForeign } from "../../util/format.ts";
import type { Context } from "../context.ts";
import { type OutputFlags, outputFlags, type RegistryFlags, registryFlags, registryOptions } from "./options.ts";

/** Flags of the commands that ask or change a registry without moving layers. */
export interface RemoteFlags extends RegistryFlags, OutputFlags {}

export function remoteFlags<T>(parser: Argv<T>): Argv<T & RemoteFlags> {
  return outputFlags(registryFlags(parser));
}

/** @throws a usage fault for a bad file */
export async function remoteOptions(flags: RemoteFlags, context: Context): Promise<RemoteOptions> {
  const options = await registryOptions(flags);
  const { stderr, signal } = context;
  return {
    ...options,
    registry: flags.registry,
    signal,
    onProgress(event: ProgressEvent) {
      if (flags.progress === "json") stderr.write(`${JSON.stringify(event)}\n`);
      else if (flags.quiet === true) return;
      else if (event.kind === "note") stderr.write(`${escapeForeign(event.message, MAX_NOTE)}\n`);
      else if (event.kind === "retry") {
        const wait = `trying again in ${Math.ceil(event.waitMs / 1000)} s`;
        stderr.write(`${escapeForeign(event.message, MAX_NOTE)}; ${wait}\n`);
      }
    },
  };
}

const MAX_NOTE = 1000;

/** Names that are written to have a registry, from the flag or the environment. */
export async function writeOptions(flags: RemoteFlags, context: Context): Promise<RemoteOptions> {
  const options = await remoteOptions(flags, context);
  return { ...options, registry: flags.registry ?? (process.env["IMGPACK_REGISTRY"] || undefined) };
}

/** `--platform` of the commands that take one. */
export function platformFlag<T>(parser: Argv<T>): Argv<T & { readonly platform?: string | undefined }> {
  return parser.option("platform", { type: "string", requiresArg: true, describe: "os/arch[/variant] of an index" });
}

/** @throws a usage fault for several, which other commands take. */
export function onePlatform(value: string | readonly string[] | undefined): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new UsageError(`Cannot use --platform: it stands ${value.length} times, expected once`);
}
