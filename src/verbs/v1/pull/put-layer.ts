import type { BlobSlot } from "../../../archive/write/archive-draft.ts";
import type { BlobSource } from "../../../content/contracts.ts";
import { ArchiveError, IntegrityError, StorageError } from "../../../errors.ts";
import { isCheckable } from "../../../registry/v1/v1-checksum.ts";
import { type MeasuredFacts, type MeasuredLayerOptions, measuredLayer } from "../reading/measured-layer.ts";
import type { LayerShelf } from "./layer-shelf.ts";
import type { UnknownLayer } from "./measure-layers.ts";

/**
 * Reads a layer into its slot as far as it fits, and the rest onto the shelf. Without a digest, only a checksum of the
 * registry tells whether the bytes that an interrupted run has left are those of the layer: others are read again.
 */
export async function putLayer(
  { layer, session }: UnknownLayer,
  slot: BlobSlot | undefined,
  shelf: LayerShelf,
  options: MeasuredLayerOptions,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<MeasuredFacts> {
  let counted = 0;
  const put = async (kept: BlobSource | undefined): Promise<MeasuredFacts> => {
    const measured = measuredLayer(session, layer, { ...options, kept });
    await shelf.put(measured, slot, signal, bytes => {
      counted += bytes;
      onBytes(bytes);
    });
    return measured.facts();
  };
  const left = slot?.kept();
  const kept = options.noChecksums !== true && isCheckable(layer.json) ? left : undefined;
  if (left !== undefined && kept === undefined) await slot?.reset();
  try {
    return await put(kept);
  } catch (error) {
    const isDamaged = error instanceof IntegrityError || error instanceof ArchiveError;
    if (isDamaged || kept !== undefined) await slot?.reset();
    if (kept === undefined || !(isDamaged || error instanceof StorageError)) throw error;
    onBytes(-counted);
    return await put(undefined);
  }
}
