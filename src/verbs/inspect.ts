import type { Readable } from "node:stream";
import type { ImageArchive } from "../archive/archive-source.ts";
import type { KnownLocks } from "../archive/lock/known-locks.ts";
import { openArchive } from "../archive/open-archive.ts";
import { openMerged } from "../archive/set/open-archives.ts";
import { listRoots } from "../content/derived-source.ts";
import { noteTo, type OnProgress, readingTo } from "../content/progress.ts";
import { UsageError } from "../errors.ts";
import { isV1Reference } from "../oci/legacy/has-v1.ts";
import { registrySource } from "../registry/registry-source.ts";
import { quote } from "../util/format.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { TEXTS } from "../util/options/option-kinds.ts";
import { type ArchiveListing, archiveListing } from "./archive-listing.ts";
import { ENGINE_INPUT } from "./engines/engine-input.ts";
import { describeArchive, type Inspection } from "./inspecting/describe-archive.ts";
import { describeNeed } from "./inspecting/describe-parts.ts";
import { isArchivePath } from "./options/archive-path.ts";
import { COMMON, READING } from "./options/common-options.ts";
import { checkedList, checkText, listOf } from "./options/option-values.ts";
import { beginsAsNeed, readNeed } from "./patch/read-need.ts";
import { describeImages } from "./shared/describe-images.ts";
import { type RemoteOptions, readableReference, withRegistries } from "./shared/remote-image.ts";

/** Options of `inspectArchive`. */
export interface InspectArchiveOptions {
  /** Shows only the images with these names or digests. Default: all images of the archive. */
  readonly image?: string | readonly string[] | undefined;
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  /** Is called with notes on what is unusual. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `listArchive`. */
export type ListArchiveOptions = Omit<InspectArchiveOptions, "image">;

/** Options of `inspect`. */
export interface InspectOptions extends RemoteOptions, InspectArchiveOptions {}

const ARCHIVE_OPTIONS: OptionsShape<InspectArchiveOptions> = { ...READING, image: TEXTS };
const INSPECT_OPTIONS: OptionsShape<InspectOptions> = { ...ARCHIVE_OPTIONS, registry: COMMON.registry };

/** An archive of more images is listed to people, instead of shown in detail. */
const MAX_DETAILED = 20;

export type { InspectedVolumes, Inspection } from "./inspecting/describe-archive.ts";
export type { InspectedDelta, InspectedNeed } from "./inspecting/describe-parts.ts";

/**
 * Shows what an archive or a reference contains: `inspectArchive` if `source` is a path, else `inspectImage`. It is taken
 * for a path if a file of this name exists, if it is "-", if it begins with "/", "./" or "../", or if it ends as archives,
 * locks and need lists do (`.tar`, `.tgz`, `.tar.gz`, `.lock`, `.json`). Several are always paths.
 *
 * @throws ArchiveError, StorageError; NotFoundError, AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { inspect } from "imgpack";
 *
 * for (const word of process.argv.slice(2)) console.log((await inspect(word)).kind);
 * ```
 */
export async function inspect(source: string | readonly string[], options: InspectOptions = {}): Promise<Inspection> {
  const [first, ...others] = checkedSources(source);
  options = checkedOptions(options, INSPECT_OPTIONS);
  const { registry, onProgress, signal } = options;
  if (others.length > 0 || (await isArchivePath(first))) return await inspected([first, ...others], options);
  refuseChoice(first, options);
  return await inspectImage(first, { registry, onProgress, signal });
}

/** As `inspect`, for people: of an archive with many images that has a lock, only the list of them, unless some are chosen. */
export async function inspectOrList(
  source: string | readonly string[],
  options: InspectOptions,
): Promise<Inspection | ArchiveListing> {
  options = checkedOptions(options, INSPECT_OPTIONS);
  const [first, ...others] = checkedSources(source);
  const isArchive = others.length > 0 || (await isArchivePath(first));
  if (listOf(options.image).length > 0 || !isArchive) return await inspect(source, options);
  const paths = [first, ...others];
  if (others.length === 0 && (await beginsAsNeed(first))) return await inspectedNeed(first, options);
  return await withArchive(paths, options, async archive => {
    const lock = archive.images.length > MAX_DETAILED ? await archive.lock(options.signal) : undefined;
    return lock === undefined ? await describeArchive(paths, archive, options) : archiveListing(lock);
  });
}

/**
 * Shows which images an archive contains. Only metadata is read: the headers of a plain archive, its manifests and
 * configs.
 *
 * @param path file, folder, or "-" for stdin; or several files and folders that are one source, such as volumes.
 * @throws ArchiveError for a file that is no readable archive; StorageError.
 * @example
 * ```ts
 * import { inspectArchive } from "imgpack";
 *
 * const { images } = await inspectArchive("app.tar");
 * for (const { names, platforms } of images) console.log(names, platforms.map(({ platform }) => platform));
 * ```
 */
export async function inspectArchive(
  path: string | readonly string[],
  options: InspectArchiveOptions = {},
): Promise<Inspection> {
  const paths = checkedSources(path);
  return await inspected(paths, checkedOptions<InspectArchiveOptions>(options, ARCHIVE_OPTIONS));
}

/** @throws UsageError for none, and for what is no text. */
function checkedSources(source: string | readonly string[]): readonly [string, ...string[]] {
  const [first = "", ...others] = typeof source === "string" ? [source] : checkedList("inspect", "archives", source);
  for (const text of [first, ...others]) checkText("inspect", "the path of an archive or the name of an image", text);
  return [first, ...others];
}

async function inspected(paths: readonly string[], options: InspectArchiveOptions): Promise<Inspection> {
  const [first = "", ...others] = paths;
  if (others.length === 0 && (await beginsAsNeed(first))) return await inspectedNeed(first, options);
  return await withArchive(paths, options, async archive => await describeArchive(paths, archive, options));
}

async function inspectedNeed(source: string, options: InspectArchiveOptions): Promise<Inspection> {
  const need = describeNeed(await readNeed(source, options));
  return { source, kind: "need list", need, images: [] };
}

async function withArchive<T>(
  paths: readonly string[],
  { onProgress, signal, stdin }: InspectArchiveOptions,
  task: (archive: ImageArchive) => Promise<T>,
): Promise<T> {
  const onNote = noteTo(onProgress);
  const open = async (path: string, locks: KnownLocks): ReturnType<typeof openArchive> =>
    await openArchive(path, { onNote, onRead: readingTo(onProgress, path), locks, signal, stdin, ...ENGINE_INPUT });
  await using archive = await openMerged(paths, { takesPatch: true, onNote, open, signal });
  return await task(archive);
}

function refuseChoice(source: string, { image }: InspectOptions): void {
  if (listOf(image).length === 0) return;
  throw new UsageError(
    `Cannot inspect ${quote(source)}: images are chosen, but it is a reference, expected an archive`,
    {
      hint: "Leave out --image.",
    },
  );
}

/**
 * Lists the images of an archive as its lock has them, in a fraction of the time that `inspectArchive` takes. The lock is used
 * only if it names the very images that the archive contains.
 *
 * @param path file, folder, or "-" for stdin; or several files and folders that are one source, such as volumes.
 * @returns undefined for an archive without such a lock.
 * @throws ArchiveError for a file that is no readable archive; StorageError.
 * @example
 * ```ts
 * import { listArchive } from "imgpack";
 *
 * for (const { name, digest } of (await listArchive("site.tar"))?.images ?? []) console.log(name, digest);
 * ```
 */
export async function listArchive(
  path: string | readonly string[],
  options: ListArchiveOptions = {},
): Promise<ArchiveListing | undefined> {
  const paths = checkedSources(path);
  options = checkedOptions<ListArchiveOptions>(options, READING);
  return await withArchive(paths, options, async archive => {
    const lock = await archive.lock(options.signal);
    return lock === undefined ? undefined : archiveListing(lock);
  });
}

/**
 * Shows an image in a registry, with all its platforms. Manifests and configs are read, layers are not.
 *
 * @param reference `[registry/]repository[:tag]` or `[registry/]repository@digest`
 * @throws NotFoundError, AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { inspectImage } from "imgpack";
 *
 * const { images } = await inspectImage("registry.lan:5000/team/app:1.4");
 * for (const { runtime } of images[0]?.platforms ?? []) console.log(runtime?.entrypoint, runtime?.cmd);
 * ```
 */
export async function inspectImage(reference: string, options: RemoteOptions = {}): Promise<Inspection> {
  checkText("inspect", "the name of an image", reference);
  options = checkedOptions<RemoteOptions>(options, COMMON);
  if (isV1Reference(reference)) {
    const { inspectV1 } = await import("./v1/query/inspect-v1.ts");
    return { source: reference, kind: "registry", images: [await inspectV1(reference, options)] };
  }
  const { signal } = options;
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    await using remote = registrySource([named], registries.repositoryFor);
    const roots = await listRoots(remote, signal);
    return { source: reference, kind: "registry", images: await describeImages(remote, roots, signal) };
  });
}
