import type { ImageArchive } from "../../archive/archive-source.ts";
import type { OnProgress } from "../../content/progress.ts";
import { reportedReads } from "../../copy/events/reported-reads.ts";
import { NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { append } from "../../util/append.ts";
import { listOf } from "../options/option-values.ts";
import { chooseImage, idOf } from "../shared/choose-image.ts";
import { describeImages, type InspectedImage } from "../shared/describe-images.ts";
import { describeDelta, describePatch, type InspectedDelta, type InspectedNeed } from "./describe-parts.ts";

/** What an archive or a reference contains. */
export interface Inspection {
  /** Path or reference, as it was given; of several files the first one. */
  readonly source: string;
  readonly kind: "archive" | "registry" | "need list";
  /** All files, if there are several. */
  readonly files?: readonly string[];
  /** Only of volumes. */
  readonly volumes?: InspectedVolumes;
  /** Only of a delta. */
  readonly delta?: InspectedDelta;
  /** Only of a patch or a need list: it has no images. */
  readonly need?: InspectedNeed;
  /** Of an archive, the compression of the file as a whole: "none", "gzip", "zstd", "xz" or "bzip2". */
  readonly compression?: string;
  readonly images: readonly InspectedImage[];
}

/** A set of volumes. */
export interface InspectedVolumes {
  /** Id of the bundle: of the lock that all volumes have. */
  readonly bundle: Digest;
  /** Number of volumes that the set has. */
  readonly of: number;
  /** Numbers of the volumes that were not given. */
  readonly missing: readonly number[];
  /** Names, or else digests, of images that are not shown, because their metadata is in a missing volume. */
  readonly hidden: readonly string[];
}

interface DescribeOptions {
  readonly image?: string | readonly string[] | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Describes the images of an archive, as far as their metadata is there. */
export async function describeArchive(
  paths: readonly string[],
  archive: ImageArchive,
  { image, onProgress, signal }: DescribeOptions,
): Promise<Inspection> {
  const { what, volumes, members } = archive;
  const chosen = listOf(image).map(name => chooseImage(archive.images, name, "inspect", what));
  const roots = chosen.length === 0 ? archive.images : chosen;
  const source = reportedReads(archive, onProgress);
  const images: InspectedImage[] = [];
  const hidden: string[] = [];
  if (volumes === undefined || archive.absent.length === 0) append(images, await describeImages(source, roots, signal));
  else
    for (const root of roots) {
      const found = await describeImages(source, [root], signal).catch(lackingVolume);
      if (found === undefined) append(hidden, root.names.length > 0 ? root.names : [idOf(root)]);
      else append(images, found);
    }
  const [first = ""] = paths;
  const delta = describeDelta(archive);
  const need = describePatch(archive);
  return {
    source: first,
    kind: "archive",
    ...(paths.length > 1 ? { files: paths } : {}),
    ...(volumes === undefined
      ? {}
      : { volumes: { bundle: volumes.bundle, of: volumes.of, missing: volumes.missing, hidden } }),
    ...(delta === undefined ? {} : { delta }),
    ...(need === undefined ? {} : { need }),
    compression: members[0]?.archive.compression ?? "none",
    images,
  };
}

/** @throws any other error. */
function lackingVolume(error: unknown): undefined {
  if (!(error instanceof NotFoundError)) throw error;
  return undefined;
}
