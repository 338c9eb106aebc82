import type { Readable } from "node:stream";
import { openArchiveFile } from "../../archive/open/open-archive-file.ts";
import type { OpenArchiveOptions } from "../../archive/open/open-archive-options.ts";
import { type ArchiveDialect, type ArchiveSource, archiveSource, openArchive } from "../../archive/open-archive.ts";
import { guessProducer, type Producer } from "../../archive/producer.ts";
import { type LostImage, salvage } from "../../archive/salvage.ts";
import type { Root } from "../../content/contracts.ts";
import { type OnProgress, readingTo } from "../../content/progress.ts";
import { wrongSizes } from "../../copy/plan-notes.ts";
import { ArchiveError, UsageError } from "../../errors.ts";
import { DOCKER_MANIFEST_FILE, dockerManifestNotes } from "../../oci/docker-manifest.ts";
import { DOCKER_MANIFEST } from "../../oci/media-types.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { blameChangedInput } from "../../util/input-guard.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { FLAG, OUTPUT_PATH, READABLE } from "../../util/options/option-kinds.ts";
import { ENGINE_INPUT } from "../engines/engine-input.ts";
import { isReadOnce } from "../options/archive-path.ts";
import type { Layers } from "../options/choices.ts";
import { COMMON, LAYERS_KIND } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { checkEnding, checkOutputApart } from "../output/open-output.ts";
import { namesOf } from "../shared/describe-images.ts";
import type { VerifyResult } from "../verify.ts";
import { verifyArchive } from "../verifying/verify-archive.ts";
import { type CheckedImage, checkImages, type DiagnosedImage } from "./check-images.ts";
import { isImage, loadFacts, readRoots } from "./load-facts.ts";
import { type LoaderVerdict, loaderVerdicts } from "./loader-verdicts.ts";
import { type RepairedArchive, repair } from "./repair.ts";

export type { ArchiveDialect } from "../../archive/open-archive.ts";
export type { Producer } from "../../archive/producer.ts";
export type { DiagnosedImage } from "./check-images.ts";
export type { LoaderVerdict } from "./loader-verdicts.ts";
export type { RepairedArchive } from "./repair.ts";

/** Options of `doctor`. */
export interface DoctorOptions {
  /** Reads only metadata and hashes nothing. Default false. */
  readonly quick?: boolean | undefined;
  /** File for a clean archive of the images that are whole: links resolved, absent platforms left out. Default: none. */
  readonly repair?: string | undefined;
  /** Layers of the repaired archive. Default "keep". */
  readonly layers?: Layers | undefined;
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const DOCTOR_OPTIONS: OptionsShape<DoctorOptions> = {
  quick: FLAG,
  repair: OUTPUT_PATH,
  layers: LAYERS_KIND,
  stdin: READABLE,
  onProgress: COMMON.onProgress,
  signal: COMMON.signal,
};

/** What `doctor` found. */
export interface Diagnosis {
  /** Path as it was given. */
  readonly archive: string;
  /** Size on disk. */
  readonly bytes: number;
  /** Of the file as a whole: "none", "gzip", "zstd", "xz" or "bzip2". */
  readonly compression: string;
  readonly form: ArchiveDialect;
  readonly producer: Producer;
  readonly images: readonly DiagnosedImage[];
  /** One per version of a runtime. */
  readonly loaders: readonly LoaderVerdict[];
  /** What is unusual, but not wrong. */
  readonly notes: readonly string[];
  /** Absent with `quick`, from stdin, and if entries are missing. */
  readonly verified?: VerifyResult;
  /** Absent without `repair`. */
  readonly repaired?: RepairedArchive;
}

/**
 * Reports what an archive is, what is wrong with it, and which runtimes load it. With `repair`, it writes a clean archive
 * of the images that are whole.
 *
 * @param path file, folder, or "-" for stdin.
 * @throws ArchiveError for an archive that cannot be understood, or that contains nothing to repair; StorageError.
 * @throws UsageError for an output that is the archive itself.
 * @example
 * ```ts
 * import { doctor } from "imgpack";
 *
 * const { producer, loaders } = await doctor("app.tar", { quick: true });
 * console.log(producer.name);
 * for (const { loader, why } of loaders) if (why.length > 0) console.log(loader, why);
 * ```
 */
export async function doctor(path: string, options: DoctorOptions = {}): Promise<Diagnosis> {
  checkText("diagnose", "the path of an archive", path);
  options = checkedOptions(options, DOCTOR_OPTIONS);
  const { signal, onProgress, quick = false } = options;
  await checkRepair(path, options);
  const notes: string[] = [];
  const damaged: string[] = [];
  const { source: opened, lostImages } = await openWhole(path, {
    onNote: message => void notes.push(message),
    onRead: readingTo(onProgress, path),
    onDamage: (_, { message }) => void damaged.push(message),
    stdin: options.stdin,
    signal,
    ...ENGINE_INPUT,
  });
  await using source = opened;
  const isHashed = !quick && !isReadOnce(path) && lostImages.length === 0;
  if (!quick && lostImages.length > 0)
    notes.push("Nothing was hashed, because entries are missing; --repair hashes what it writes");
  const verified = isHashed ? await verifyArchive(path, { onProgress: withoutNotes(onProgress), signal }) : undefined;
  const checked = await checkImages(source, verified?.faults ?? [], signal, onProgress);
  // An OCI view names its images in any case.
  const dropped = source.oci === undefined ? damaged.map(problem => brokenImage({ names: [] }, problem)) : [];
  const images = [...checked.map(({ image }) => image), ...dropped, ...unseen(lostImages, checked).map(lostImage)];
  const manifests = await readRoots(source, signal);
  append(notes, wrongSizes({ manifests }));
  append(notes, dockerManifestNotes(source.archive.entries.get(DOCKER_MANIFEST_FILE)?.size ?? 0));
  const broken = images.filter(image => isImage(image) && !image.isWhole);
  const loaders = loaderVerdicts(await loadFacts(source, manifests, images, broken.length));
  const whole = checked.filter(({ image }) => image.isWhole).map(({ root }) => root);
  const repaired = await blameChangedInput(source.confirm, async () => await repairWhole(source, whole, options));
  await source.confirm();
  return {
    archive: path,
    bytes: source.archive.fileBytes,
    compression: source.archive.compression,
    form: source.dialect,
    producer: guessProducer(source),
    images,
    loaders,
    notes,
    ...(verified === undefined ? {} : { verified }),
    ...(repaired === undefined ? {} : { repaired }),
  };
}

/** @throws UsageError before anything is read. */
async function checkRepair(path: string, { repair }: DoctorOptions): Promise<void> {
  if (repair === undefined) return;
  checkEnding(repair);
  if (isReadOnce(path)) {
    const what = path === "-" ? "archive from stdin" : quote(path);
    throw new UsageError(`Cannot repair ${what}: it can be read only once, expected a file`, {
      hint: "Save it to a file first.",
    });
  }
  await checkOutputApart([path], repair);
}

/** Opens the archive; without images whose entries are missing. */
async function openWhole(
  path: string,
  options: OpenArchiveOptions,
): Promise<{ readonly source: ArchiveSource; readonly lostImages: readonly LostImage[] }> {
  try {
    return { source: await openArchive(path, options), lostImages: [] };
  } catch (error) {
    const isLost = error instanceof ArchiveError && ["missing-layer", "missing-entry"].includes(error.reason);
    if (!isLost || isReadOnce(path)) throw error;
    const archive = await openArchiveFile(path, { onRead: options.onRead, signal: options.signal });
    const salvaged = await salvage(archive, options.signal).catch(() => undefined);
    if (salvaged !== undefined) {
      return { source: await archiveSource(salvaged.archive, options), lostImages: salvaged.lostImages };
    }
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

async function repairWhole(
  source: ArchiveSource,
  whole: readonly Root[],
  { repair: output, layers, onProgress, signal }: DoctorOptions,
): Promise<RepairedArchive | undefined> {
  if (output === undefined) return undefined;
  if (whole.length > 0) return await repair(source, whole, { output, layers, onProgress, signal });
  throw new ArchiveError(
    "no-image",
    `Cannot repair ${source.archive.what}: no image in it is whole, expected at least one`,
    {
      hint: 'See what is missing with "imgpack doctor" alone, pull the image again, and save it again.',
    },
  );
}

/** An OCI view may still describe an image that manifest.json has lost. */
function unseen(lostImages: readonly LostImage[], checked: readonly CheckedImage[]): readonly LostImage[] {
  const seen = new Set(checked.flatMap(({ image }) => image.names));
  return lostImages.filter(({ names }) => names.length === 0 || names.some(name => !seen.has(name)));
}

function lostImage({ names, badNames, missing }: LostImage): DiagnosedImage {
  return brokenImage(namesOf({ names, badNames }), `no entry ${missing.map(name => quote(name)).join(", ")}`);
}

function brokenImage(named: Pick<DiagnosedImage, "names" | "badNames">, problem: string): DiagnosedImage {
  return { ...named, mediaType: DOCKER_MANIFEST, platforms: [], absent: [], isWhole: false, problem };
}

/** Opening the archive has reported its notes already. */
function withoutNotes(onProgress: OnProgress | undefined): OnProgress {
  return event => {
    if (event.kind !== "note") onProgress?.(event);
  };
}
