import type { Readable } from "node:stream";
import { openArchive } from "../archive/open-archive.ts";
import { listRoots } from "../content/derived-source.ts";
import { noteTo, type OnProgress, readingTo } from "../content/progress.ts";
import { registrySource } from "../registry/registry-source.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { isArchivePath } from "./options/archive-path.ts";
import { COMMON, READING } from "./options/common-options.ts";
import { checkText } from "./options/option-values.ts";
import { describeImages, type InspectedImage } from "./shared/describe-images.ts";
import { type RemoteOptions, readableReference, withRegistries } from "./shared/remote-image.ts";

/** Options of `inspectArchive`. */
export interface InspectArchiveOptions {
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  /** Is called with notes on what is unusual. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `inspect`. */
export interface InspectOptions extends RemoteOptions, InspectArchiveOptions {}

const INSPECT_OPTIONS: OptionsShape<InspectOptions> = { ...READING, registry: COMMON.registry };

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
  const { registry, stdin, onProgress, signal } = options;
  if (await isArchivePath(source)) return await inspectArchive(source, { stdin, onProgress, signal });
  return await inspectImage(source, { registry, onProgress, signal });
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
  options = checkedOptions<InspectArchiveOptions>(options, READING);
  const { onProgress, signal, stdin } = options;
  const onNote = noteTo(onProgress);
  const onRead = readingTo(onProgress, path);
  await using archive = await openArchive(path, { onNote, onRead, signal, stdin });
  const images = await describeImages(archive, archive.images, signal);
  return { source: path, kind: "archive", compression: archive.archive.compression, images };
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
  const { signal } = options;
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    await using remote = registrySource([named], registries.repositoryFor);
    const roots = await listRoots(remote, signal);
    return { source: reference, kind: "registry", images: await describeImages(remote, roots, signal) };
  });
}
