import type { Readable } from "node:stream";
import type { OnProgress } from "../content/progress.ts";
import { DOCKER_MANIFEST_FILE, parseDockerManifest } from "../oci/docker-manifest.ts";
import { MAX_ARCHIVE_INDEX_BYTES } from "../oci/limits.ts";
import { isLayerType, type LayerCompression, layerCompression } from "../oci/media-types.ts";
import { readMetadata } from "../store/archive.ts";
import { type ArchiveForm, type ArchiveSource, openArchive } from "../store/archive-source.ts";
import { guessProducer, type Producer } from "../store/producer.ts";
import { type ConvertResult, convert } from "./convert.ts";
import { describeImages, type InspectedImage } from "./describe-images.ts";
import { type LoaderVerdict, loaderVerdicts } from "./loader-verdicts.ts";
import { type VerifyResult, verify } from "./verify.ts";

export interface DoctorOptions {
  /** Only metadata is read: nothing is hashed. */
  readonly quick?: boolean | undefined;
  /** File to write a clean archive to: links resolved, absent platforms left out, both views in it. */
  readonly repair?: string | undefined;
  /** Of a repaired archive, as with `convert`: "keep", "gzip" or "raw". */
  readonly layers?: string | undefined;
  readonly stdin?: Readable | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DoctoredImage extends InspectedImage {
  /** True when everything that a container of it needs is there. */
  readonly isWhole: boolean;
}

export interface Diagnosis {
  readonly archive: string;
  /** Bytes as they lie on disk. */
  readonly bytes: number;
  /** Of the file as a whole. */
  readonly compression: string;
  readonly form: ArchiveForm;
  readonly producer: Producer;
  readonly images: readonly DoctoredImage[];
  readonly loaders: readonly LoaderVerdict[];
  /** What is odd without being wrong. */
  readonly notes: readonly string[];
  /** What re-hashing found; absent with `quick`. */
  readonly verified?: VerifyResult;
  readonly repaired?: ConvertResult;
}

/**
 * Says what an archive is, what is wrong with it, and who can load it; writes a clean one if asked.
 *
 * @throws ArchiveError with the entry, the offset and the broken rule, for an archive that cannot be understood.
 */
export async function doctor(path: string, options: DoctorOptions = {}): Promise<Diagnosis> {
  const { signal, stdin, onProgress, repair } = options;
  const notes: string[] = [];
  const onNote = (message: string): void => void notes.push(message);
  await using source = await openArchive(path, { onNote, stdin, signal });
  const images = (await describeImages(source, source.images, signal)).map(image => ({
    ...image,
    isWhole: image.platforms.some(({ layers }) => layers.every(({ digest }) => isHeld(source, digest))),
  }));
  const loaders = loaderVerdicts({
    outer: outerOf(source),
    hasDockerView: source.docker !== undefined,
    hasOciView: source.oci !== undefined,
    isDir: source.form === "dir",
    isLegacy: source.form === "legacy",
    images: images.length,
    usable: images.filter(({ isWhole }) => isWhole).length,
    layers: await layerKinds(source, images),
    hasHardLinks: hasHardLinks(source),
    hasDotNames: await hasDotNames(source, signal),
  });
  // A pipe has passed by.
  const isQuick = options.quick === true || path === "-";
  const verified = isQuick ? undefined : await verify(path, { onProgress, signal });
  const whole = images.filter(({ isWhole }) => isWhole);
  const repaired =
    repair === undefined
      ? undefined
      : await convert(path, {
          output: repair,
          layers: options.layers,
          onProgress,
          signal,
          images:
            whole.length === images.length ? undefined : whole.map(({ names, digest }) => names[0] ?? digest ?? ""),
        });
  return {
    archive: path,
    bytes: source.archive.fileBytes,
    compression: source.archive.compression,
    form: source.form,
    producer: guessProducer(source),
    images,
    loaders,
    notes,
    ...(verified === undefined ? {} : { verified }),
    ...(repaired === undefined ? {} : { repaired }),
  };
}

function isHeld(source: ArchiveSource, digest: Parameters<ArchiveSource["places"][number]["has"]>[0]): boolean {
  return source.places.some(place => place.has(digest));
}

function outerOf({ archive }: ArchiveSource): string {
  return archive.isFolder === true ? "folder" : archive.compression;
}

/** By content: what a media type says is not what a loader meets. */
async function layerKinds(
  source: ArchiveSource,
  images: readonly InspectedImage[],
): Promise<ReadonlySet<LayerCompression>> {
  const kinds = new Set<LayerCompression>();
  for (const { platforms } of images) {
    for (const { digest, mediaType } of platforms.flatMap(({ layers }) => layers)) {
      if (!isLayerType(mediaType)) continue;
      const entry = source.places.find(place => place.has(digest))?.entry(digest);
      const content = entry === undefined ? layerCompression(mediaType) : await source.archive.compressionOf(entry);
      kinds.add(content ?? "none");
    }
  }
  return kinds;
}

function hasHardLinks({ archive }: ArchiveSource): boolean {
  for (const { type } of archive.entries.values()) if (type === "hardlink") return true;
  return false;
}

async function hasDotNames(source: ArchiveSource, signal: AbortSignal | undefined): Promise<boolean> {
  if (source.docker === undefined) return false;
  const bytes = await readMetadata(source.archive, DOCKER_MANIFEST_FILE, MAX_ARCHIVE_INDEX_BYTES, signal);
  const names = parseDockerManifest(bytes, source.archive.what).flatMap(({ config, layers }) => [config, ...layers]);
  return names.some(name => name.startsWith("./"));
}
