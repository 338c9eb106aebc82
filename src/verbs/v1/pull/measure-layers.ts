import type { Seal } from "../../../content/contracts.ts";
import type { BlobLabel, OnProgress } from "../../../content/progress.ts";
import { atEnd } from "../../../copy/copy-ends.ts";
import type { V1ChainLayer } from "../../../registry/v1/v1-image.ts";
import type { V1Session } from "../../../registry/v1/v1-store.ts";
import { counted, formatBytes } from "../../../util/format.ts";
import { runBounded } from "../../../util/task-group.ts";
import { type MeasuredLayer, measuredLayer } from "../reading/measured-layer.ts";
import { type LayerShelf, SMALL_BYTES } from "./layer-shelf.ts";
import type { V1Facts } from "./v1-facts.ts";

/** A layer of which nothing is known yet, in a repository that has it. */
export interface UnknownLayer {
  readonly layer: V1ChainLayer;
  readonly session: V1Session;
}

export interface MeasureOptions {
  readonly facts: V1Facts;
  readonly shelf: LayerShelf;
  readonly noChecksums: boolean;
  readonly concurrency: number;
  /** What becomes of a layer that cannot be read: throws, or remembers it. */
  readonly onFailed: (layer: UnknownLayer, error: unknown) => void;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** Puts a layer somewhere while it is measured. */
export type PutLayer = (layer: MeasuredLayer, signal: AbortSignal, onBytes: (bytes: number) => void) => Promise<Seal>;

/** Reads layers, each once, and puts them on a shelf: small ones in memory, the others in a temporary file. */
export async function measureLayers(
  layers: readonly UnknownLayer[],
  why: string,
  options: MeasureOptions,
): Promise<void> {
  const { shelf } = options;
  const small = layers.filter(({ layer }) => isSmall(layer));
  const large = layers.filter(({ layer }) => !isSmall(layer));
  await measureEach(small, options, async (layer, signal, onBytes) => await shelf.putSmall(layer, signal, onBytes));
  if (large.length === 0) return;
  const bytes = large.reduce((sum, { layer }) => sum + (layer.json.size ?? 0), 0);
  await shelf.announce(`${why} (${counted(large.length, "layer")}, ${formatBytes(bytes)})`);
  await measureEach(large, options, async (layer, signal, onBytes) => await shelf.putSpooled(layer, signal, onBytes));
}

export function isSmall({ json }: V1ChainLayer): boolean {
  return json.size !== undefined && json.size < SMALL_BYTES;
}

/** Largest first. */
export async function measureEach(
  layers: readonly UnknownLayer[],
  { facts, noChecksums, concurrency, onFailed, onProgress, signal }: MeasureOptions,
  put: PutLayer,
): Promise<void> {
  if (layers.length === 0) return;
  const sorted = layers.toSorted((left, right) => (right.layer.json.size ?? 0) - (left.layer.json.size ?? 0));
  const bytes = sorted.reduce((sum, { layer }) => sum + (layer.json.size ?? 0), 0);
  onProgress({ kind: "planned", blobs: sorted.length, bytes });
  const onNote = (message: string): void => onProgress({ kind: "note", message });
  await runBounded(
    sorted,
    concurrency,
    async (unknown, stop) => {
      const { layer, session } = unknown;
      const label: BlobLabel = `layer ${layer.json.id}`;
      const onBytes = (delta: number): void => onProgress({ kind: "bytes", blob: label, delta });
      const measured = measuredLayer(session, layer, { repack: facts.repack, noChecksums, onNote });
      try {
        await atEnd("source", async () => await put(measured, stop, onBytes));
        await facts.add(layer, measured.facts());
        const { size } = measured.facts().stored;
        // Servers state wrong sizes, or none.
        if (size !== measured.sourceBytes)
          onProgress({ kind: "planned", blobs: 0, bytes: size - measured.sourceBytes });
        onProgress({ kind: "done", blob: label, bytes: size });
      } catch (error) {
        stop.throwIfAborted();
        onFailed(unknown, error);
      }
    },
    signal,
  );
}
