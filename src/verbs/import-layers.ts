import type { BlobSource, ImageTarget, PendingBlob, PendingKey } from "../content/contracts.ts";
import type { OnProgress } from "../content/progress.ts";
import { isPending } from "../content/settle.ts";
import { atEnd, countedPending } from "../copy/copy-ends.ts";
import type { DigestCache } from "../copy/digest-cache.ts";
import { InternalError, UsageError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type LayerCompression, OCI_LAYER, toDockerLayerType, withLayerCompression } from "../oci/media-types.ts";
import {
  hashCompressedLayer,
  importedLayer,
  type LayerForm,
  sealedBlob,
  sealLayer,
} from "../transform/import-layer.ts";
import type { ImportInput } from "./import-input.ts";
import type { ReadSettings } from "./import-settings.ts";
import type { ImportTarget } from "./import-target.ts";

/** One import, as far as it is decided. */
export interface ImportRun {
  readonly input: ImportInput;
  readonly target: ImportTarget;
  readonly settings: ReadSettings;
  readonly author: string | undefined;
  readonly message: string | undefined;
  readonly concurrency: number;
  readonly cache: DigestCache;
  readonly onProgress: OnProgress;
  readonly onNote: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** A layer whose diff_id is known, and so the config of the image. */
export interface KnownLayer<Layer = Descriptor | PendingBlob> {
  readonly diffId: Digest;
  readonly layer: Layer;
  /** Of a layer whose digest is known, too. */
  readonly blob?: BlobSource;
}

/** Reads a tar once for its diff_id; a plain one that will be compressed still waits for its digest then. */
export async function hashInput(run: ImportRun): Promise<KnownLayer> {
  const { input, target, signal } = run;
  if (input.kind === "made") throw new InternalError(`Cannot hash ${input.what}: it is no layer yet, expected a tar`);
  if (input.kind === "compressed") {
    const { file, compression, what } = input;
    const mediaType = layerType(run, compression);
    const onBytes = startProgress(run, `pending:${what}`, file.size);
    const { digest, diffId } = await hashCompressedLayer(file, compression, input, onBytes, signal);
    return { diffId, layer: { mediaType, digest, size: file.size }, blob: file };
  }
  const { raw, file } = input;
  const form = { mediaType: layerType(run, "none"), profile: undefined };
  const onBytes = startProgress(run, `pending:${raw.what}`, file.size);
  const { diffId, descriptor } = await sealed(importedLayer(raw, form), onBytes, signal);
  if (target.profile === undefined) return { diffId, layer: descriptor, blob: file };
  return { diffId, layer: importedLayer(raw, formOf(run), diffId) };
}

/** Makes the whole layer once, for its digest and size. */
export async function sealInput(run: ImportRun): Promise<KnownLayer<Descriptor>> {
  const { input, target, signal } = run;
  if (input.kind === "compressed" || (input.kind === "plain" && target.profile === undefined)) {
    const known = await hashInput(run);
    if (isPending(known.layer)) throw new InternalError(`Cannot hash ${input.what}: its layer has no digest yet`);
    return { ...known, layer: known.layer };
  }
  const pending = importedLayer(input.raw, formOf(run));
  const onBytes = startProgress(run, pending.key, pending.sourceBytes);
  const { diffId, descriptor } = await sealed(pending, onBytes, signal);
  return { diffId, layer: descriptor, blob: sealedBlob(pending, descriptor.size) };
}

/** Makes the layer while it is sent: its diff_id, without which there is no config, is known at its end. */
export async function passLayer(run: ImportRun, target: ImageTarget): Promise<KnownLayer<Descriptor>> {
  const { input, cache, onProgress, signal } = run;
  if (input.kind !== "made") throw new InternalError(`Cannot send ${input.what}: it is a layer, expected to make one`);
  const form = formOf(run);
  const pending = importedLayer(input.raw, form);
  const { key, sourceBytes } = pending;
  const onBytes = startProgress(run, key, sourceBytes, 1);
  const plan = { roots: [], blobs: [], pending: [pending], manifests: new Map(), totalBytes: sourceBytes };
  const seal = await atEnd("target", async () => {
    await using session = await target.begin(plan, signal);
    if (session.putPending === undefined) throw new InternalError(`Cannot send ${input.what}: no target for a stream`);
    return await session.putPending(countedPending(pending), signal, onBytes);
  });
  const { descriptor, diffId, presence } = seal;
  if (diffId === undefined) throw new InternalError(`Cannot send ${input.what}: its diff_id is not known`);
  await cache.add(importedLayer(input.raw, form, diffId).key, seal);
  onProgress({ kind: "sealed", blob: key, seal });
  onProgress(
    presence === undefined
      ? { kind: "done", blob: key, bytes: descriptor.size }
      : { kind: "skipped", blob: key, bytes: 0, reason: presence },
  );
  return { diffId, layer: descriptor, blob: sealedBlob(pending, descriptor.size) };
}

/** What became of the layer; undefined when nobody needed to make it. */
export function sealedLayer({ layer }: KnownLayer, cache: DigestCache): Descriptor | undefined {
  if (!isPending(layer)) return layer;
  const found = cache.find(layer.key);
  return found === undefined ? undefined : { mediaType: layer.mediaType, ...found };
}

async function sealed(
  pending: PendingBlob,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<{ readonly diffId: Digest; readonly descriptor: Descriptor }> {
  const { diffId, descriptor } = await atEnd("source", async () => await sealLayer(pending, onBytes, signal));
  if (diffId === undefined) throw new InternalError(`Cannot hash ${pending.key}: its diff_id is not known`);
  return { diffId, descriptor };
}

function startProgress({ onProgress }: ImportRun, blob: PendingKey, bytes: number, blobs = 0): (delta: number) => void {
  onProgress({ kind: "planned", blobs, bytes });
  return delta => onProgress({ kind: "bytes", blob, delta });
}

function formOf(run: ImportRun): LayerForm {
  const { profile } = run.target;
  return { mediaType: layerType(run, profile === undefined ? "none" : "gzip"), profile };
}

/** @throws UsageError for zstd in a Docker manifest: its readers know no such type. */
function layerType({ input, target }: ImportRun, compression: LayerCompression): string {
  const type = withLayerCompression(OCI_LAYER, compression) ?? OCI_LAYER;
  const wanted = target.isDocker ? toDockerLayerType(type) : type;
  if (wanted !== undefined) return wanted;
  throw new UsageError(
    `Cannot import ${input.what} with --format docker: it is a ${compression} layer, expected gzip`,
    {
      hint: "Leave out --format, or recompress the tar with gzip.",
    },
  );
}
