import { type BlobLabel, type OnProgress, underWay } from "../../../content/progress.ts";
import { atEnd } from "../../../copy/copy-ends.ts";
import type { V1ChainLayer } from "../../../registry/v1/v1-image.ts";
import type { V1Session } from "../../../registry/v1/v1-store.ts";
import { runBounded } from "../../../util/task-group.ts";
import type { MeasuredFacts } from "../reading/measured-layer.ts";
import type { V1Facts } from "./v1-facts.ts";

/** A layer of which nothing is known yet, in a repository that has it. */
export interface UnknownLayer {
  readonly layer: V1ChainLayer;
  readonly session: V1Session;
}

export interface MeasureOptions {
  readonly facts: V1Facts;
  readonly concurrency: number;
  /** What becomes of a layer that cannot be read: throws, or remembers it. */
  readonly onFailed: (layer: UnknownLayer, error: unknown) => void;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a layer, and puts it somewhere while it is measured. */
export type MeasureLayer = (
  unknown: UnknownLayer,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
) => Promise<MeasuredFacts>;

/** Reads layers, each once, the largest first. */
export async function measureLayers(
  layers: readonly UnknownLayer[],
  measure: MeasureLayer,
  { facts, concurrency, onFailed, onProgress, signal }: MeasureOptions,
): Promise<void> {
  if (layers.length === 0) return;
  const sorted = layers.toSorted((left, right) => (right.layer.json.size ?? 0) - (left.layer.json.size ?? 0));
  const bytes = sorted.reduce((sum, { layer }) => sum + (layer.json.size ?? 0), 0);
  onProgress({ kind: "planned", blobs: sorted.length, bytes });
  await runBounded(
    sorted,
    concurrency,
    async (unknown, stop) => {
      const { layer } = unknown;
      const label: BlobLabel = `layer ${layer.json.id}`;
      const onBytes = (delta: number): void => onProgress({ kind: "bytes", blob: label, delta });
      try {
        const started = { blob: label, bytes: layer.json.size ?? 0, from: unknown.session.store.host };
        const read = async (): Promise<MeasuredFacts> => await measure(unknown, stop, onBytes);
        const found = await underWay(onProgress, started, async () => await atEnd("source", read));
        await facts.add(layer, found);
        const { size } = found.stored;
        const stated = layer.json.size ?? 0;
        // Servers state wrong sizes, or none.
        if (size !== stated) onProgress({ kind: "planned", blobs: 0, bytes: size - stated });
        onProgress({ kind: "done", blob: label, bytes: size });
      } catch (error) {
        stop.throwIfAborted();
        onFailed(unknown, error);
      }
    },
    signal,
  );
}
