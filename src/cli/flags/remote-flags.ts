import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { OnProgress, RemoteOptions } from "../../index.ts";
import type { Context } from "../context.ts";
import { Progress } from "../progress/progress.ts";
import { type OutputFlags, outputFlags } from "./output-flags.ts";
import { READ_REGISTRY, type RegistryFlags, registryFlags, registryFromFlags } from "./registry-flags.ts";
import { type V1Flags, v1Flags } from "./v1-flags.ts";

/** Flags of the commands that query or change a registry without moving layers. */
export interface RemoteFlags extends RegistryFlags, OutputFlags {}

/** The argument of these commands, for the help. */
export const IMAGE_REFERENCE = "image: registry/repository:tag or @digest";

/** @param registry help text of `--registry`. */
export function remoteFlags<T>(parser: Argv<T>, registry: string = READ_REGISTRY): Argv<T & RemoteFlags> {
  return outputFlags(registryFlags(parser, registry));
}

/** As `remoteFlags`, for commands that also take v1:// references. */
export function remoteV1Flags<T>(parser: Argv<T>, registry?: string): Argv<T & RemoteFlags & V1Flags> {
  return v1Flags(remoteFlags(parser, registry));
}

/** What a command needs to query or change a registry. */
export interface RemoteRun {
  readonly options: RemoteOptions & { readonly onProgress: OnProgress };
  /** Shows what `options` report. To be ended before the first line on stdout, whatever happens. */
  readonly progress: Progress;
}

/** @param inputs of the command, of which "-" is stdin. @throws UsageError as `registryFromFlags`. */
export async function remoteRun(
  flags: RemoteFlags & V1Flags,
  context: Context,
  inputs: readonly string[] = [],
  verb: "Reading" | "Pulling" | "Pushing" = "Reading",
): Promise<RemoteRun> {
  const registry = await registryFromFlags(flags, context.signal, inputs);
  const progress = new Progress(context, flags, verb);
  return { options: { registry, signal: context.signal, onProgress: progress.onProgress }, progress };
}

/** `--platform` of the commands that take one. @param defaultPlatform for the help. */
export function platformFlag<T>(
  parser: Argv<T>,
  defaultPlatform: string,
): Argv<T & { readonly platform?: string | undefined }> {
  return parser.option("platform", {
    type: "string",
    requiresArg: true,
    describe: `platform to take of an index (default ${defaultPlatform})`,
  });
}

/** @throws UsageError for more than one platform; yargs makes a list of a flag that is given several times. */
export function onePlatform(value: string | readonly string[] | undefined): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new UsageError(`Cannot use --platform: given ${value.length} times, expected once`);
}
