import { fstatSync, type Stats } from "node:fs";
import type { Writable } from "node:stream";
import type { ResumeOptions } from "../../archive/partial/opened-partial.ts";
import { volumesTarget } from "../../archive/volumes/volumes-target.ts";
import type { ArchiveContentsOptions, ArchiveFormat } from "../../archive/write/archive-contents.ts";
import { ArchiveDraft } from "../../archive/write/archive-draft.ts";
import { archiveFileTarget } from "../../archive/write/archive-file-target.ts";
import { archiveStreamTarget, STREAM_CONCURRENCY } from "../../archive/write/archive-stream-target.ts";
import { layoutFolderTarget } from "../../archive/write/layout-folder-target.ts";
import type { CopyPlan, ImageTarget } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import { isEngineName } from "../../oci/names/engine-name.ts";
import type { SignLock } from "../../oci/signatures/lock-signature.ts";
import { quote } from "../../util/format.ts";
import { checkApart } from "../../util/output-checks.ts";
import { stat } from "../../util/read-disk.ts";
import { type EngineOutput, openEngineOutput } from "../engines/engine-output.ts";
import type { SigningKeyOptions } from "../options/sign-options.ts";

import {
  type ChosenVolumesOptions,
  checkVolumesApart,
  chosenSize,
  type SplitContext,
  type SplitOutput,
  splitOutput,
  type VolumeOptions,
} from "./volume-options.ts";

export type { ArchiveFormat } from "../../archive/write/archive-contents.ts";

/**
 * Where an archive goes: the path of a file; the path of a folder, if it ends in a slash or is a folder already, which
 * becomes an OCI layout; an engine that loads it: `docker://`, `podman://` or `containerd://`; or a stream, which is not ended.
 */
export type ArchiveOutput = string | Writable;

export type OutputTargetOptions = Pick<ArchiveContentsOptions, "platform" | "lock" | "layerOrder" | "signLock">;

/** How an output is written. */
export interface OpenOutputOptions extends ChosenVolumesOptions {
  /** Default "universal". */
  readonly format?: ArchiveFormat | undefined;
  /** Key that signs the lock. Default: the archive is not signed. */
  readonly sign?: SigningKeyOptions | undefined;
  /** That an engine may be silent while it is asked, in milliseconds; default 120,000. */
  readonly idleMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenedOutput {
  /** Only of `docker://`, `podman://` and `containerd://`, whose kind is "stream". */
  readonly engine?: EngineOutput | undefined;
  readonly kind: "file" | "folder" | "stream";
  /** As the user typed it; "-" for a stream. */
  readonly name: string;
  readonly format: ArchiveFormat;
  /** Maximum number of blobs that may be written at once. */
  readonly maxConcurrency: number;
  /** What would be written, if that is a set of volumes. */
  readonly volumes?:
    | ((plan: CopyPlan, options: OutputTargetOptions, context: SplitContext) => Promise<SplitOutput>)
    | undefined;
  /** @param resume how to treat what an interrupted run has left. */
  target(options: OutputTargetOptions, resume?: ResumeOptions): ImageTarget;
  /** Only where bytes can be written before their digests are known: to a file. */
  draft?(
    plan: CopyPlan,
    options: OutputTargetOptions,
    resume: ResumeOptions,
    signal?: AbortSignal,
  ): Promise<ArchiveDraft>;
}

const COMPRESSED = /\.(?:gz|tgz|zst|tzst|xz|txz|bz2|tbz2?)$/i;

/**
 * An archive is written in place and its layers are compressed already, so it is never compressed as a whole.
 *
 * @throws UsageError for a name that promises a compressed file.
 */
export function checkEnding(output: string): void {
  const ending = COMPRESSED.exec(output)?.[0];
  if (ending === undefined) return;
  throw new UsageError(`Cannot write ${quote(output)}: found ending ${ending}, expected a name for a plain tar`, {
    hint: "Name it .tar: its layers are compressed already, so that compressing it again saves almost nothing. To do it nevertheless, write to stdout and through gzip or zstd.",
  });
}

/**
 * @throws UsageError for a folder in the format "docker", for a name that promises a compressed file, for a key that cannot
 * sign, or has nothing to sign, and for volumes that are not files of an archive with a lock.
 */
export async function openOutput(
  output: ArchiveOutput,
  { format = "universal", sign, idleMs, signal, ...volumes }: OpenOutputOptions = {},
): Promise<OpenedOutput> {
  const kind = await kindOf(output);
  const split = chosenSize(typeof output === "string" ? output : "-", kind, format, volumes);
  const signLock = sign === undefined ? undefined : await signerOf(sign, format);
  const signed = <T extends OutputTargetOptions>(options: T): T =>
    signLock === undefined ? options : { ...options, signLock };
  if (typeof output === "string" && kind === "stream") {
    const engine = await openEngineOutput(output, signal, idleMs);
    const target = (options: OutputTargetOptions): ImageTarget => engine.target({ ...signed(options), format });
    return { kind, name: output, format, maxConcurrency: STREAM_CONCURRENCY, engine, target };
  }
  if (typeof output !== "string") {
    return {
      kind: "stream",
      name: "-",
      format,
      maxConcurrency: STREAM_CONCURRENCY,
      target: options => archiveStreamTarget(output, { ...signed(options), format }),
    };
  }
  if (kind === "folder") {
    if (format === "docker") {
      throw new UsageError(`Cannot write folder ${quote(output)}: a docker archive is a tar, expected a file`, {
        hint: "Name a file, or leave out --format: folders are OCI layouts.",
      });
    }
    return {
      kind: "folder",
      name: output,
      format: "oci",
      maxConcurrency: Number.POSITIVE_INFINITY,
      target: (options, resume) => layoutFolderTarget(output, { ...signed(options), ...resume }),
    };
  }
  checkEnding(output);
  if (split !== undefined) {
    return {
      kind: "file",
      name: output,
      format,
      maxConcurrency: Number.POSITIVE_INFINITY,
      volumes: async (plan, options, context) =>
        await splitOutput(output, plan, { ...signed(options), ...split, format }, context),
      target: (options, resume) => volumesTarget(output, { ...signed(options), ...split, format, resume }),
    };
  }
  return {
    kind: "file",
    name: output,
    format,
    maxConcurrency: Number.POSITIVE_INFINITY,
    target: (options, resume) => archiveFileTarget(output, { ...signed(options), format, resume }),
    draft: async (plan, options, resume, signal) =>
      await ArchiveDraft.open(output, plan, { ...signed(options), format, resume }, signal),
  };
}

/**
 * Checks that the output does not replace an input, nor a part of it (security case F-04).
 *
 * @throws UsageError if it does.
 */
export async function checkOutputApart(
  inputs: readonly string[],
  output: ArchiveOutput,
  { volumeSize }: VolumeOptions = {},
): Promise<void> {
  if (typeof output === "string" && isEngineName(output)) return;
  if (typeof output === "string" && volumeSize !== undefined) return await checkVolumesApart(output, inputs);
  if (typeof output === "string") return await checkApart(output, inputs);
  const written = streamStats(output);
  for (const input of inputs) {
    const read = await statOf(input);
    if (read === undefined || written?.ino !== read.ino || written.dev !== read.dev) continue;
    throw new UsageError(`Cannot write stdout: it is the input ${quote(input)}, expected another file`, {
      hint: "Write to another name, and rename it when it is done.",
    });
  }
}

async function signerOf({ key, passphrase }: SigningKeyOptions, format: ArchiveFormat): Promise<SignLock> {
  if (format === "docker") {
    throw new UsageError("Cannot sign a docker archive: it has no lock, expected the format universal or oci", {
      hint: "Leave out --format docker: all versions of docker load the other formats, too.",
    });
  }
  const { parseSigningKey } = await import("../../oci/signatures/signing-key.ts");
  return parseSigningKey(key, passphrase, "signing key").sign;
}

async function kindOf(output: ArchiveOutput): Promise<OpenedOutput["kind"]> {
  if (typeof output !== "string" || isEngineName(output)) return "stream";
  return (await isFolder(output)) ? "folder" : "file";
}

async function isFolder(output: string): Promise<boolean> {
  return /[/\\]$/.test(output) ? output.endsWith("/") || process.platform === "win32" : isExistingFolder(output);
}

async function isExistingFolder(output: string): Promise<boolean> {
  return (await statOf(output))?.isDirectory() ?? false;
}

async function statOf(path: string): Promise<Stats | undefined> {
  return await stat(path).catch(() => undefined);
}

/** Of a redirected stdout. */
function streamStats(output: Writable): Stats | undefined {
  if (!("fd" in output) || typeof output.fd !== "number") return undefined;
  try {
    return fstatSync(output.fd);
  } catch {
    return undefined;
  }
}
