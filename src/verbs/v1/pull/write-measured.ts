import type { ArchiveDraft } from "../../../archive/write/archive-draft.ts";
import type { ImageSource } from "../../../content/contracts.ts";
import { noteTo } from "../../../content/progress.ts";
import type { Digest } from "../../../oci/digest.ts";
import { counted, formatBytes } from "../../../util/format.ts";
import { DEFAULT_CONCURRENCY } from "../../../util/options/option-limits.ts";
import {
  copySettled,
  resumeOptions,
  settleImages,
  type WriteOptions,
  type Written,
} from "../../shared/write-images.ts";
import type { MeasuredFacts } from "../reading/measured-layer.ts";
import { digestsOf, draftFacts, formerDigests, isSmall, layersInOrder, placeholderOf } from "./layer-places.ts";
import { LayerShelf } from "./layer-shelf.ts";
import { measureLayers, type UnknownLayer } from "./measure-layers.ts";
import { putLayer } from "./put-layer.ts";
import { type ReadImage, unknownLayers } from "./read-v1-images.ts";
import type { V1Facts } from "./v1-facts.ts";

export interface MeasuredImages {
  readonly facts: V1Facts;
  /** Images whose layers could be read so far. @throws the first failure, if none is left. */
  readonly left: () => readonly ReadImage[];
  /** Images as a source; facts by the key of a layer. */
  readonly source: (images: readonly ReadImage[], facts: ReadonlyMap<string, MeasuredFacts>) => ImageSource;
  readonly noChecksums: boolean;
  /** What becomes of a layer that cannot be read: throws, or remembers it. */
  readonly onFailed: (layer: UnknownLayer, error: unknown) => void;
}

/**
 * Reads layers of which nothing is known, and writes the images. An archive needs digests before its first byte; a file is
 * planned with placeholders first, so that layers go to their places at once. To a stream and to a folder they go from
 * memory and from a temporary file.
 */
export async function writeMeasured(measured: MeasuredImages, write: WriteOptions): Promise<Written> {
  const { facts, left, noChecksums, onFailed } = measured;
  const { concurrency = DEFAULT_CONCURRENCY, onProgress = () => undefined, signal } = write;
  const onNote = noteTo(onProgress);
  const placed = new Set<Digest>();
  await using shelf = new LayerShelf(onNote);
  const measure = async (layers: readonly UnknownLayer[], to?: ArchiveDraft): Promise<void> => {
    await measureLayers(
      layers,
      async (unknown, stop, onBytes) => {
        const placeholder = placeholderOf(unknown.layer);
        const slot = to?.slot(placeholder);
        const options = { repack: facts.repack, noChecksums, onNote };
        const found = await putLayer(unknown, slot, shelf, options, stop, onBytes);
        if (slot !== undefined && found.delivered.size <= slot.size) placed.add(placeholder);
        return found;
      },
      { facts, concurrency, onFailed, onProgress, signal },
    );
  };
  await measure(unknownLayers(left(), facts).filter(({ layer }) => isSmall(layer)));
  const large = unknownLayers(left(), facts);
  await using draft = large.length === 0 ? undefined : await openDraft(measured, write);
  if (draft === undefined && large.length > 0) await announceSpool(shelf, large);
  await measure(large, draft);
  const images = left();
  const layers = layersInOrder(images);
  const former = formerDigests(layers, facts.all);
  const options = { ...write, layerOrder: digestsOf(layers, facts.all), formerDigests: former };
  const settled = await settleImages(shelf.over(measured.source(images, facts.all)), options);
  const target = draft?.target({ ...settled.targetOptions, formerDigests: former, placed });
  if (write.dryRun !== true) await copySettled(settled, options, target);
  return settled.written;
}

/** @returns undefined where the bytes that are read are not those that are written, or do not go to a file. */
async function openDraft(
  { facts, left, source }: MeasuredImages,
  write: WriteOptions,
): Promise<ArchiveDraft | undefined> {
  const { output, layers, signal } = write;
  if (output.draft === undefined || layers === "raw") return undefined;
  const images = left();
  const order = layersInOrder(images);
  const unread = draftFacts(order, facts);
  // Notes come when the digests are known.
  const options = { ...write, layerOrder: digestsOf(order, unread), onProgress: undefined };
  const { written, targetOptions } = await settleImages(source(images, unread), options);
  return await output.draft(written.plan, targetOptions, resumeOptions(write), signal);
}

async function announceSpool(shelf: LayerShelf, layers: readonly UnknownLayer[]): Promise<void> {
  const bytes = layers.reduce((sum, { layer }) => sum + (layer.json.size ?? 0), 0);
  const what = `${counted(layers.length, "layer")}, ${formatBytes(bytes)}`;
  await shelf.announce(`this output needs their digests before its first byte (${what})`);
}
