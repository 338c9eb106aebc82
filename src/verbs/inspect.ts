import type { Readable } from "node:stream";
import { type ArchiveSource, openArchive } from "../archive/open-archive.ts";
import { listRoots } from "../content/derived-source.ts";
import { noteTo, type OnProgress, readingTo } from "../content/progress.ts";
import { UsageError } from "../errors.ts";
import { isV1Reference } from "../oci/legacy/has-v1.ts";
import { registrySource } from "../registry/registry-source.ts";
import { quote } from "../util/format.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { TEXTS } from "../util/options/option-kinds.ts";
import { type ArchiveListing, archiveListing } from "./archive-listing.ts";
import { isArchivePath } from "./options/archive-path.ts";
import { COMMON, READING } from "./options/common-options.ts";
import { checkText, listOf } from "./options/option-values.ts";
import { chooseImage } from "./shared/choose-image.ts";
import { describeImages, type InspectedImage } from "./shared/describe-images.ts";
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

/** What an archive or a reference contains. */
export interface Inspection {
  /** Path or reference, as it was given. */
  readonly source: string;
  readonly kind: "archive" | "registry";
  /** Of an archive, the compression of the file as a whole: "none", "gzip", "zstd", "xz" or "bzip2". */
  readonly compression?: string;
  readonly images: readonly InspectedImage[];
}

/**
 * Shows what an archive or a reference contains: `inspectArchive` if `source` is a path, else `inspectImage`. It is taken
 * for a path if a file of this name exists, if it is "-", if it begins with "/", "./" or "../", or if it ends as archives
 * do (`.tar`, `.tgz`, `.tar.gz`).
 *
 * @throws ArchiveError, StorageError; NotFoundError, AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { inspect } from "imgpack";
 *
 * for (const word of process.argv.slice(2)) console.log((await inspect(word)).kind);
 * ```
 */
export async function inspect(source: string, options: InspectOptions = {}): Promise<Inspection> {
  checkText("inspect", "the path of an archive or the name of an image", source);
  options = checkedOptions(options, INSPECT_OPTIONS);
  const { registry, onProgress, signal } = options;
  if (await isArchivePath(source)) return await inspected(source, options);
  refuseChoice(source, options);
  return await inspectImage(source, { registry, onProgress, signal });
}

/** As `inspect`, for people: of an archive with many images that has a lock, only the list of them, unless some are chosen. */
export async function inspectOrList(source: string, options: InspectOptions): Promise<Inspection | ArchiveListing> {
  options = checkedOptions(options, INSPECT_OPTIONS);
  if (listOf(options.image).length > 0 || !(await isArchivePath(source))) return await inspect(source, options);
  return await withArchive(source, options, async archive => {
    const lock = archive.images.length > MAX_DETAILED ? await archive.lock(options.signal) : undefined;
    return lock === undefined ? await described(source, archive, options) : archiveListing(lock);
  });
}

/**
 * Shows which images an archive contains. Only metadata is read: the headers of a plain archive, its manifests and
 * configs.
 *
 * @param path file, folder, or "-" for stdin.
 * @throws ArchiveError for a file that is no readable archive; StorageError.
 * @example
 * ```ts
 * import { inspectArchive } from "imgpack";
 *
 * const { images } = await inspectArchive("app.tar");
 * for (const { names, platforms } of images) console.log(names, platforms.map(({ platform }) => platform));
 * ```
 */
export async function inspectArchive(path: string, options: InspectArchiveOptions = {}): Promise<Inspection> {
  checkText("inspect", "the path of an archive", path);
  return await inspected(path, checkedOptions<InspectArchiveOptions>(options, ARCHIVE_OPTIONS));
}

async function inspected(path: string, options: InspectArchiveOptions): Promise<Inspection> {
  return await withArchive(path, options, async archive => await described(path, archive, options));
}

async function withArchive<T>(
  path: string,
  { onProgress, signal, stdin }: InspectArchiveOptions,
  task: (archive: ArchiveSource) => Promise<T>,
): Promise<T> {
  const onNote = noteTo(onProgress);
  const onRead = readingTo(onProgress, path);
  await using archive = await openArchive(path, { onNote, onRead, signal, stdin });
  return await task(archive);
}

async function described(
  path: string,
  archive: ArchiveSource,
  { image, signal }: InspectArchiveOptions,
): Promise<Inspection> {
  const { compression, what } = archive.archive;
  const chosen = listOf(image).map(name => chooseImage(archive.images, name, "inspect", what));
  const roots = chosen.length === 0 ? archive.images : chosen;
  return { source: path, kind: "archive", compression, images: await describeImages(archive, roots, signal) };
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
 * @param path file, folder, or "-" for stdin.
 * @returns undefined for an archive without such a lock.
 * @throws ArchiveError for a file that is no readable archive; StorageError.
 * @example
 * ```ts
 * import { listArchive } from "imgpack";
 *
 * for (const { name, digest } of (await listArchive("site.tar"))?.images ?? []) console.log(name, digest);
 * ```
 */
export async function listArchive(path: string, options: ListArchiveOptions = {}): Promise<ArchiveListing | undefined> {
  checkText("list", "the path of an archive", path);
  options = checkedOptions<ListArchiveOptions>(options, READING);
  return await withArchive(path, options, async archive => {
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
