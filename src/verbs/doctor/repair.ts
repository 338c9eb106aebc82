import type { ArchiveSource } from "../../archive/open-archive.ts";
import type { Root } from "../../content/contracts.ts";
import { derivedSource, rootsOf } from "../../content/derived-source.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { pruneSparse } from "../../transform/prune-sparse.ts";
import type { Layers } from "../options/choices.ts";
import { openOutput } from "../output/open-output.ts";
import { type WrittenImage, writeImages } from "../shared/write-images.ts";

export interface RepairOptions {
  readonly output: string;
  readonly layers?: Layers | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The clean archive that `doctor` wrote. */
export interface RepairedArchive {
  /** Path as it was given. */
  readonly output: string;
  readonly images: readonly WrittenImage[];
  /** Sum over all blobs, each counted once. */
  readonly blobBytes: number;
}

/**
 * Writes some images of an archive to a clean one: without links and absent platforms, with both views.
 *
 * @throws ImgpackError; the output appears only after everything was read and verified.
 */
export async function repair(
  source: ArchiveSource,
  roots: readonly Root[],
  options: RepairOptions,
): Promise<RepairedArchive> {
  const { layers, onProgress, signal } = options;
  const onNote = noteTo(onProgress);
  const output = await openOutput(options.output);
  const chosen = derivedSource(source, { roots: rootsOf(roots) });
  const { plan, images } = await writeImages(pruneSparse(chosen, onNote), {
    verb: "convert",
    output,
    layers,
    platforms: "all",
    sourceName: source.archive.what,
    originals: roots,
    onProgress,
    signal,
  });
  return { output: output.name, images, blobBytes: plan.totalBytes };
}
