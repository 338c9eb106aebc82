import type { Writable } from "node:stream";
import type { Argv } from "yargs";
import { UsageError } from "../../errors.ts";
import type { ConvertResult, Layers, Loader, PullResult, RequiredReferrer } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { shownNumber } from "./retry-flags.ts";

/** Flags of the commands that write archives. */
export interface ArchiveFlags extends ReferrersFlags {
  readonly platform?: string[] | undefined;
  readonly layers?: Layers | undefined;
  readonly for?: Loader | undefined;
  readonly volumeSize?: string | undefined;
  readonly volume?: number | undefined;
}

/** What the output of `pull` and `convert` can be, for the help. */
export const ARCHIVE_OUTPUT =
  "file to write, FOLDER/ for an OCI layout, docker://, podman:// or containerd:// to load it there, or - for stdout";

/** @param defaultPlatform for the help. */
export function archiveFlags<T>(parser: Argv<T>, defaultPlatform: string): Argv<T & ArchiveFlags> {
  return referrersFlag(platformsFlag(parser, defaultPlatform))
    .option("layers", {
      requiresArg: true,
      choices: ["keep", "gzip", "zstd", "raw"] as const,
      describe: "compression of the layers to write (default keep)",
    })
    .option("for", {
      requiresArg: true,
      choices: ["docker20", "docker", "podman", "ctr", "k3s", "kind"] as const,
      describe: "make the archive loadable by this tool (default: any of them)",
    })
    .option("volume-size", {
      type: "string",
      requiresArg: true,
      describe:
        "split the output into files of at most this size: fat32, dvd, bd25, bd50, 700M (powers of 1000), 4GiB (powers of 1024), … (default: one file)",
    })
    .option("volume", {
      type: "number",
      requiresArg: true,
      describe: "write only the volume with this number, from 1 (default: all volumes)",
    });
}

/** @throws UsageError for what is no number of a volume. */
export function volumeOf({ volume }: ArchiveFlags): number | undefined {
  if (volume === undefined || (Number.isInteger(volume) && volume >= 1)) return volume;
  throw new UsageError(`Cannot use --volume: found ${shownNumber(volume)}, expected a whole number from 1`, {
    hint: "Volumes are numbered from 1: --volume 1 writes the first one.",
  });
}

/** Flag of the commands that carry images. */
export interface ReferrersFlags {
  readonly noReferrers?: boolean | undefined;
}

export function referrersFlag<T>(parser: Argv<T>): Argv<T & ReferrersFlags> {
  return parser.option("no-referrers", {
    type: "boolean",
    describe: "leave out what refers to the images: signatures, SBOMs, attestations",
  });
}

/** Flag of the commands that can refuse images. */
export interface RequireFlags {
  readonly requireReferrers?: string[] | undefined;
}

export function requireFlag<T>(parser: Argv<T>): Argv<T & RequireFlags> {
  return parser.option("require-referrers", {
    type: "string",
    array: true,
    requiresArg: true,
    nargs: 1,
    describe: "refuse images without these: sig, sbom or att, several with commas (default none)",
  });
}

/** The values of `--require-referrers`; the library checks them. */
export function requiredOf({ requireReferrers }: RequireFlags): readonly RequiredReferrer[] | undefined {
  return requireReferrers?.flatMap(text => text.split(",")) as readonly RequiredReferrer[] | undefined;
}

/** @param defaultPlatform for the help. */
export function platformsFlag<T>(
  parser: Argv<T>,
  defaultPlatform: string,
): Argv<T & { readonly platform: string[] | undefined }> {
  return parser.option("platform", {
    type: "string",
    array: true,
    requiresArg: true,
    nargs: 1,
    describe: `platforms to take, several with commas, or all (default ${defaultPlatform})`,
  });
}

/** The values of `--platform`, which may come with commas or several times. */
export function platformsOf({ platform }: Pick<ArchiveFlags, "platform">): readonly string[] | undefined {
  return platform?.flatMap(text => text.split(","));
}

/**
 * The output for the library: the path, or stdout for "-".
 *
 * @throws UsageError if stdout is a terminal, or is used for `--json` as well.
 */
export function archiveOutput(word: string, { stdout }: Context, isJson: boolean | undefined): string | Writable {
  if (word !== "-") return word;
  if (isJson === true) throw new UsageError("Cannot use --json: stdout is the archive, expected only one of them");
  if ("isTTY" in stdout && stdout.isTTY === true) {
    throw new UsageError("Cannot write archive to stdout: it is a terminal, expected a pipe or a file", {
      hint: 'Redirect it, as in "imgpack pull REF -o - | docker load", or name a file to write.',
    });
  }
  return stdout as Writable;
}

/** Prints a line per name, on stderr if stdout is the archive; notes the digests that changed. */
export function printImages(context: Context, result: ConvertResult | PullResult, note: (text: string) => void): void {
  for (const { names, digest, previousDigest } of result.images) {
    for (const name of names.length === 0 ? [""] : names) {
      const line = name.includes("@") ? name : `${name}@${digest}`;
      if (result.output === "-") note(line);
      else printLine(context, line);
    }
    if (previousDigest !== undefined) note(`${names[0] ?? "image"}: ${previousDigest} → ${digest}`);
  }
  for (const name of result.engine?.loaded ?? []) note(`Loaded image: ${escapeForeign(name)}`);
  for (const { path, bytes, images } of result.volumes ?? [])
    note(`${path}: ${formatBytes(bytes)}, ${counted(images.length, "whole image")}`);
}
