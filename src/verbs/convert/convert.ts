import type { Readable } from "node:stream";
import { absentDetails, absentError } from "../../archive/absent-blobs.ts";
import type { ArchiveSource, ImageArchive } from "../../archive/archive-source.ts";
import type { KnownLocks } from "../../archive/lock/known-locks.ts";
import { type ScanOptions, StreamedArchive } from "../../archive/open/streamed-archive.ts";
import { openArchive } from "../../archive/open-archive.ts";
import { openMerged } from "../../archive/set/open-archives.ts";
import type { ArchiveFormat } from "../../archive/write/archive-contents.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import type { CopyPlan, ImageSource } from "../../content/contracts.ts";
import { derivedSource, listRoots, rootsOf } from "../../content/derived-source.ts";
import { noteTo, readingTo } from "../../content/progress.ts";
import { openDigestCache } from "../../copy/digest-cache.ts";
import { UsageError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { pruneSparse } from "../../transform/prune-sparse.ts";
import { escapeForeign } from "../../util/format.ts";
import { blameChangedInput } from "../../util/input-guard.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { choice, FLAG, OUTPUT, READABLE, required, TEXTS } from "../../util/options/option-kinds.ts";
import { ENGINE_INPUT } from "../engines/engine-input.ts";
import type { LoadedEngine } from "../engines/engine-output.ts";
import { carriedChoices, carriedOver } from "../locking/lock-settings.ts";
import type { Sparse } from "../options/choices.ts";
import { PLATFORMS, SPARSE_KIND } from "../options/common-options.ts";
import { checkedList, listOf } from "../options/option-values.ts";
import { readPlatforms } from "../options/read-platforms.ts";
import { forEngine, loadedBy } from "../output/for-engine.ts";
import { type ArchiveOutput, checkOutputApart, type OpenedOutput, openOutput } from "../output/open-output.ts";
import { blobCounts, type WrittenVolume } from "../output/volume-options.ts";
import { withoutSilentPrune } from "../referrers/silent-prune.ts";
import { idOf, namesInArchive, noteBadNames } from "../shared/choose-image.ts";
import { StreamedInput } from "../shared/streamed-input.ts";
import {
  copySettled,
  OUTPUT_OPTIONS,
  type OutputOptions,
  settleImages,
  type WrittenImage,
} from "../shared/write-images.ts";
import { carriedSignature } from "./carried-signature.ts";
import { type ConvertNameOptions, chosenImages } from "./chosen-images.ts";
import { withDamageHint } from "./damage-hint.ts";

/** Options of `convert`. */
export interface ConvertOptions extends OutputOptions, ConvertNameOptions {
  /** Where the archive goes. */
  readonly output: ArchiveOutput;
  /** Default "universal"; a folder is always "oci". */
  readonly format?: ArchiveFormat | undefined;
  /** `os/architecture[/variant]`, or "all" alone. Default: all platforms that the archive contains. */
  readonly platform?: string | readonly string[] | undefined;
  /** Default "prune", which is refused for an image that is signed, or pinned by its digest, unless it is given. */
  readonly sparse?: Sparse | undefined;
  /**
   * Replaces volumes of an earlier run that have the same names, and an unfinished file of an interrupted run. Default false:
   * they are refused.
   */
  readonly restart?: boolean | undefined;
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
}

const FORMATS: readonly ArchiveFormat[] = ["universal", "oci", "docker"];

const CONVERT_OPTIONS: OptionsShape<ConvertOptions> = {
  ...OUTPUT_OPTIONS,
  output: required(OUTPUT),
  format: choice(FORMATS),
  platform: PLATFORMS,
  image: TEXTS,
  tag: TEXTS,
  sparse: SPARSE_KIND,
  restart: FLAG,
  stdin: READABLE,
};

/** What `convert` wrote. */
export interface ConvertResult {
  /** Path or engine as it was given; "-" for a stream. */
  readonly output: string;
  /** Only of an engine as the output; absent with `dryRun`. */
  readonly engine?: LoadedEngine;
  /** Of an output that is split; with `dryRun`, what would be written. */
  readonly volumes?: readonly WrittenVolume[];
  readonly format: ArchiveFormat;
  readonly images: readonly WrittenImage[];
  /** Sum over all blobs, each counted once. */
  readonly blobBytes: number;
  /** Number of blobs. */
  readonly blobs: number;
  readonly seconds: number;
}

/**
 * Writes the images of archives in another form, offline. Volumes, a delta with its base, and an archive with a patch are one
 * source: what is written is what a pull of all of it would have written. Configs, compressed layers and manifests keep their bytes,
 * unless an option asks for other layers. The output gets its name only when it is complete.
 *
 * @param input file, folder, image of an engine such as `docker://app:1`, or "-" for stdin; or several files and folders, in any order.
 * @throws ArchiveError for an input that cannot be understood; IntegrityError for bytes that are not what a digest says.
 * @throws NotFoundError for an `image` or `platform` that the archive does not contain, and for a volume or base that was not
 * given; UsageError for options that contradict each other.
 * @throws StorageError
 * @example
 * ```ts
 * import { convert } from "imgpack";
 *
 * const { images } = await convert("app.tar.gz", { output: "app/", image: "team/app:1.4" });
 * for (const { names, digest } of images) console.log(names, digest);
 * ```
 */
export async function convert(input: string | readonly string[], options: ConvertOptions): Promise<ConvertResult> {
  const inputs = checkedList("convert", "archives", listOf(input));
  options = checkedOptions(options, CONVERT_OPTIONS);
  const started = performance.now();
  const { signal } = options;
  const onNote = noteTo(options.onProgress);
  const platforms = readPlatforms("convert", options.platform, "all");
  const { format, sign, volumeSize, volume } = options;
  await checkOutputApart(inputs, options.output, options);
  const output = await openOutput(options.output, { format, sign, volumeSize, volume, signal });
  options = forEngine(options, output);
  await using reading = new StreamedInput({
    openTarget: undefined,
    isShared: false,
    profile: undefined,
    cache: await openDigestCache(undefined),
    isDryRun: options.dryRun === true,
    reason: "because a pipe cannot be read again",
    onProgress: options.onProgress ?? (() => undefined),
  });
  // A compressed file is read again for its layers, a pipe is not.
  const scan = async (scanned: ScanOptions): Promise<StreamedArchive> =>
    scanned.isReopenable ? await StreamedArchive.scan(scanned) : await reading.scan(scanned);
  const open = async (path: string, locks: KnownLocks): Promise<ArchiveSource> => {
    const onRead = readingTo(options.onProgress, path);
    const { stdin } = options;
    return await openArchive(path, { onNote, onRead, scan, locks, signal, stdin, isTolerant: true, ...ENGINE_INPUT });
  };
  await using archive = await openMerged(inputs, { onNote, open, signal });
  const what = inputs[0] === "-" ? "archive from stdin" : archive.what;
  const [single] = archive.members;
  const source = single === archive ? reading.sourceOf(single) : archive;
  checkOrder(source, output, what);
  const lock = await archive.lock(signal);
  const sparse = options.sparse ?? defaultSparse(lock, output, options);
  const originals = chosenImages(await listRoots(archive, signal), options, what);
  if (listOf(options.tag).length === 0) noteBadNames(originals, what, onNote);
  const chosen = derivedSource(source, { roots: rootsOf(originals) });
  const pruned = sparse === "prune" ? pruneSparse(chosen, onNote) : chosen;
  // A docker archive has no index, and so no digest of one.
  const whole =
    pruned === chosen || output.format === "docker"
      ? pruned
      : withoutSilentPrune(pruned, {
          ...options,
          verb: "convert",
          source,
          originals,
          namesOf: original => namesInArchive(archive.images, original),
          labelOf: original => original.names[0] ?? idOf(original),
        });
  const files = archive.members.map(member => member.archive);
  const signLock = options.sign === undefined ? await carriedSignature(files, onNote, signal) : undefined;
  const onAbsent = ({ digest }: Descriptor): void =>
    onNote(`Keeping an index entry that is not in the archive: ${escapeForeign(digest)}`);
  const writing = {
    ...options,
    verb: "convert" as const,
    output,
    platforms,
    sparse,
    known: carriedOver(lock),
    signLock,
    ...(options.platform === undefined ? carriedChoices(lock) : {}),
    ...(listOf(options.image).length > 0 ? { left: undefined } : {}),
    referrers: options.referrers ?? lock?.referrers,
    sourceName: what,
    originals,
    onAbsent: sparse === "keep" ? onAbsent : undefined,
  };
  const { plan, images, split } = await blameChangedInput(
    async () => await archive.confirm(signal),
    async () =>
      await withDamageHint(lock, async () => {
        const settled = await settleImages(whole, writing);
        await refuseAbsent(archive, settled.written.plan, signal);
        if (options.dryRun !== true) await copySettled(settled, writing);
        return settled.written;
      }),
  );
  return {
    output: output.name,
    ...loadedBy(output),
    ...(split === undefined ? {} : { volumes: split.volumes }),
    format: output.format,
    images,
    ...blobCounts(plan, split),
    seconds: (performance.now() - started) / 1000,
  };
}

/** An archive of imgpack stays as it is: the call that wrote it has chosen. Loaders get an index without gaps. */
function defaultSparse(lock: Lock | undefined, { format }: OpenedOutput, { for: loader }: ConvertOptions): Sparse {
  return lock === undefined || loader !== undefined || format === "docker" ? "prune" : lock.sparse;
}

/** @throws NotFoundError for what is in a volume or a base that was not given, before anything is written. */
async function refuseAbsent(
  archive: ImageArchive,
  { blobs }: CopyPlan,
  signal: AbortSignal | undefined,
): Promise<void> {
  const planned = new Set(blobs.map(({ digest }) => digest));
  const needed = archive.absent.filter(({ digest }) => planned.has(digest));
  if (needed.length === 0) return;
  throw absentError("convert", archive, needed, await absentDetails(archive.members, needed, [], signal));
}

/** @throws UsageError for a streamed archive written to a stream: both decide the order of blobs. */
function checkOrder(source: ImageSource, output: OpenedOutput, what: string): void {
  if (source.streamed === undefined || output.kind !== "stream") return;
  const where = output.engine === undefined ? "stdout" : output.name;
  throw new UsageError(`Cannot convert ${what} to ${where}: it is read from front to back, expected a file to write`, {
    hint: "Write to a file, or unpack the archive first.",
  });
}
